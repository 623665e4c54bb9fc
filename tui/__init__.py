"""The terminal face of Gradstep: the commands in `cli`, the debugger in `app`. Internal: users run `gradstep`."""
