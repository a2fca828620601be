"""How many servers does this traffic need, and what does an hour of speech cost?

    python -m benchmarks.capacity --help

The order of reading: `arrivals` (who comes), `steps` (how long the engine takes), `simulate` (what the
servers make of it), `figures`, `size` (how many are enough), `devices` (what was measured), `replay` and
`check` (the same traffic on real servers), `page` (the tables of docs/operate/capacity.md).
"""
