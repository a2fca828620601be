# syntax=docker/dockerfile:1
# The speech server. Build from the root of the repository:
#   docker build -f infra/docker/tts.Dockerfile -t ttsops-tts .                                  CPU, espeak
#   docker build -f infra/docker/tts.Dockerfile --build-arg EXTRAS=vibevoice,f5 -t ttsops-tts .  CPU, with PyTorch
#   docker build -f infra/docker/tts.Dockerfile --target cuda --build-arg EXTRAS=vibevoice,f5,gpu -t ttsops-tts:cuda .
# amd64 and arm64: add --platform linux/amd64,linux/arm64 to `docker buildx build`.

# One base for both variants: PyTorch's wheels bring their own CUDA, and the host brings the driver.
ARG PYTHON_IMAGE=docker.io/library/python:3.12-slim-bookworm
# As `@sha256:…`, of the index for all platforms; QUICKSTART.md tells how it is found. Empty: whatever the tag is today.
ARG PYTHON_DIGEST=""

# ---- what is built with, and stays behind ----
FROM ${PYTHON_IMAGE}${PYTHON_DIGEST} AS source
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/tts-ops
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src

FROM source AS build-cpu
# Extras of pyproject.toml, separated by commas: vibevoice, f5, agent.
ARG EXTRAS=""
# Where PyTorch's builds without CUDA are; not asked unless an extra needs PyTorch.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN case ",${EXTRAS}," in *,vibevoice,*|*,f5,*) \
      /opt/tts-ops/bin/pip install --index-url "${TORCH_INDEX}" -c constraints.txt torch ;; esac \
    && /opt/tts-ops/bin/pip install -c constraints.txt ".${EXTRAS:+[${EXTRAS}]}"

FROM source AS build-cuda
ARG EXTRAS="vibevoice,f5,gpu"
RUN /opt/tts-ops/bin/pip install -c constraints.txt ".${EXTRAS:+[${EXTRAS}]}"

# ---- what runs ----
FROM ${PYTHON_IMAGE}${PYTHON_DIGEST} AS runtime
# A number, so that Kubernetes can see that it is not root.
RUN groupadd --gid 10001 ttsops \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/ttsops --shell /usr/sbin/nologin ttsops \
    && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/ttsops
# /var/lib/ttsops holds weights and caches. Everything else may be read-only: give a tmpfs at /tmp.
ENV PATH=/opt/tts-ops/bin:$PATH \
    HOME=/var/lib/ttsops \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TTSOPS_SERVER__HOST=0.0.0.0 \
    TTSOPS_LOG__FORMAT=json
WORKDIR /var/lib/ttsops
VOLUME /var/lib/ttsops
EXPOSE 8001
STOPSIGNAL SIGTERM
# The start period covers the loading of large weights: failures in it are not counted.
HEALTHCHECK --interval=15s --timeout=6s --start-period=300s --retries=3 \
    CMD ["ttsops", "health", "--url", "http://127.0.0.1:8001", "--quiet"]
ENTRYPOINT ["ttsops"]
CMD ["serve"]

FROM runtime AS cuda
# Read by NVIDIA's container toolkit: which devices, and no more of the driver than computing needs.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-cuda /opt/tts-ops /opt/tts-ops
USER 10001:10001

# The last stage is what a build without --target makes.
FROM runtime AS cpu
COPY --from=build-cpu /opt/tts-ops /opt/tts-ops
USER 10001:10001
