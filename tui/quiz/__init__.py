"""The quiz in a terminal or over a pipe, line by line; its worksheets; and the file of what was learned."""
