"""The panes of the debugger. Each shows a scene and knows no other pane; what it says comes from `tui.views`."""
