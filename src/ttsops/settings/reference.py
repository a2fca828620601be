"""`docs/reference/settings.md`, written from the tree itself."""

from __future__ import annotations

from ttsops.settings.fields import ANY_ENGINE, Setting, all_settings, all_tables
from ttsops.settings.names import DEFAULT_ENGINE, OPERATOR_NAMES, OTHER_NAMES, systematic_name
from ttsops.settings.toml_lines import KeyPath


def settings_page() -> str:
    """The page."""
    parts = [_HEAD]
    for table, summary in all_tables():
        title = f"`[{'.'.join(table)}]`" if table else "Top level"
        parts.append(f"## {title}\n\n{summary.replace(f' {title}.', '')}\n")
        parts += [_section(setting) for setting in all_settings() if _is_in(setting.key, table)]
    parts.append("## Other environment variables\n\n| name | meaning |\n| --- | --- |")
    parts += [f"| `{name}` | {meaning} |" for name, meaning in OTHER_NAMES.items()]
    return "\n".join(parts) + "\n"


def environment_names(setting: Setting) -> list[str]:
    """The systematic name first, then the one operators know, if there is one."""
    key = tuple(DEFAULT_ENGINE if part == ANY_ENGINE else part for part in setting.key)
    return [systematic_name(setting.key), *(name for name, named in OPERATOR_NAMES.items() if named == key)]


def _is_in(key: KeyPath, table: KeyPath) -> bool:
    """Options of an engine are shown in the engine's own table."""
    return (key[:-1] if ANY_ENGINE not in key else key[: key.index(ANY_ENGINE) + 1]) == table


def _section(setting: Setting) -> str:
    names = environment_names(setting)
    of_default = ANY_ENGINE in setting.key and len(names) > 1
    shown = [f"`{name}`" for name in names]
    if of_default:
        shown[1] += " (for the default engine)"
    lines = [
        f"### `{'.'.join(setting.key)}`",
        "",
        f"{setting.description}.",
        "",
        f"- accepts: {setting.accepts}",
        f"- default: {_shown_default(setting.default)}",
        f"- environment: {', '.join(shown)}",
    ]
    return "\n".join(lines) + "\n"


def _shown_default(value: object) -> str:
    match value:
        case None:
            return "not set"
        case "" | ():
            return "empty"
        case _:
            return f"`{value}`"


_HEAD = """\
# Settings

One tree, from four sources; a later one wins:

1. the defaults below,
2. a TOML file: `--config FILE`, else `TTSOPS_CONFIG`, else `ttsops.toml` in the working directory,
3. the environment,
4. options of the command.

```toml
engine = "espeak"

[server]
port = 8001

[engines.tone]
max_streams = 200
options = { rtf = 0.5 }
```

An unknown key and an unknown `TTSOPS_…` variable are errors, and so is an `LLM_…` variable that is almost
one of those below. `ttsops config check` reads everything and says what is wrong and where; `ttsops config
show` prints the values in force and where each is from.

In the environment a list is separated by commas, an empty value counts as not set, and `_` in the name of an
engine or model stands for `-`. This page is written from the tree by `make docs`.
"""
