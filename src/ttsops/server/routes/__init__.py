"""One file per resource; `app` puts them together."""
