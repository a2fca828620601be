"""The server and the agent as services of the system: systemd on Linux, launchd on macOS.

`plan.py` says what is to run; `systemd.py` and `launchd.py` write it down as their system wants it, and talk
to it through its own command.
"""
