"""What threads, kills, full disks, bad pictures and hostile files do to the real commands: docs/reliability.md."""
