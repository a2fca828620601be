# syntax=docker/dockerfile:1
# The voice agent: talks to a language model and to the speech server, computes nothing itself, needs no GPU.
# Build from the root of the repository:
#   docker build -f infra/docker/agent.Dockerfile -t ttsops-agent .

ARG PYTHON_IMAGE=docker.io/library/python:3.12-slim-bookworm
# As `@sha256:…`; QUICKSTART.md tells how it is found. Empty: whatever the tag is today.
ARG PYTHON_DIGEST=""

FROM ${PYTHON_IMAGE}${PYTHON_DIGEST} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/tts-ops
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN /opt/tts-ops/bin/pip install -c constraints.txt ".[agent]"

FROM ${PYTHON_IMAGE}${PYTHON_DIGEST} AS agent
RUN groupadd --gid 10001 ttsops \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/ttsops --shell /usr/sbin/nologin ttsops \
    && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/ttsops
ENV PATH=/opt/tts-ops/bin:$PATH \
    HOME=/var/lib/ttsops \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TTSOPS_AGENT__HOST=0.0.0.0 \
    TTSOPS_LOG__FORMAT=json
WORKDIR /var/lib/ttsops
COPY --from=build /opt/tts-ops /opt/tts-ops
USER 10001:10001
VOLUME /var/lib/ttsops
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health/live', timeout=5)"]
ENTRYPOINT ["ttsops"]
CMD ["agent"]
