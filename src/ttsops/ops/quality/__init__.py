"""What faster settings cost: the same speech at each, measured, scored, and heard blind.

The order of reading: `grid` (which settings), `manifest` (what lies in a folder), `sweep` (speak),
`distances` and `scores` (judge), `report` and `plot` (tell), `pairs` and `page` (listen), `ratings` (what
listeners said).
"""
