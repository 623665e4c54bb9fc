"""Reports of checks as pages: what `gradstep check` and `gradstep verify` print, and the words the debugger shares."""
