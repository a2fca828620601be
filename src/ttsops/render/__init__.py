"""Long recordings: a script becomes a file turn by turn, and a crash costs no more than the turn it came in.

Reading order: `script` (what is said), `plan` (in which pieces), `track_file` (where it grows), `state` (how
far it is), `seams` (how pieces are joined), `chunked` and `whole` (who makes them), `job` (all of it),
`captions` (when what is said).
"""

from ttsops.render.job import Progress, Rendered, folder_of, plan_job, render
from ttsops.render.plan import Wish
from ttsops.render.script import RenderScript, read_render_script
from ttsops.render.served import ServedSpeaker

__all__ = [
    "Progress",
    "RenderScript",
    "Rendered",
    "ServedSpeaker",
    "Wish",
    "folder_of",
    "plan_job",
    "read_render_script",
    "render",
]
