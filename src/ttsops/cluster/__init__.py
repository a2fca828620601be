"""The same application on many machines, by Ray: https://docs.ray.io/en/latest/serve/index.html.

`replica` is what runs on a machine, `deploy` puts it there, `batch` spreads the lines of a batch. Ray is the
extra `ray`: ask `extra.require_ray` before you import `connection`, `deploy` or `batch`.
"""
