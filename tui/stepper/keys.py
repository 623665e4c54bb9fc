"""The keys of the stepper: what they are bound to, what the last line says of them, and the page of help."""

from __future__ import annotations

from textual.binding import Binding

from tui.orders import Page
from tui.orders.order import page

BINDINGS = (
    Binding("n", "go('step', 1)", "next step of the warp"),
    Binding("N", "go('step', -1)", "back"),
    Binding("o", "go('over', 1)", "next step, over device functions"),
    Binding("O", "go('over', -1)", "back"),
    Binding("s", "go('any_step', 1)", "next step of any warp"),
    Binding("S", "go('any_step', -1)", "back"),
    Binding("b", "go('barrier', 1)", "past the next barrier"),
    Binding("B", "go('barrier', -1)", "back"),
    Binding("c", "go('run_on', 1)", "continue"),
    Binding("C", "go('run_on', -1)", "back"),
    Binding("G", "end", "to the end"),
    Binding("w", "go('other_warp', 1)", "another warp"),
    Binding("W", "go('other_warp', -1)", "another warp"),
    Binding("m", "go('other_array', 1)", "another array"),
    Binding("M", "go('other_array', -1)", "another array"),
    Binding("t", "lane(1)", "another lane"),
    Binding("T", "lane(-1)", "another lane"),
    Binding("greater_than_sign", "lanes(1)", "further lanes"),
    Binding("less_than_sign", "lanes(-1)", "lanes before"),
    Binding("g", "block(1)", "another block"),
    Binding("up,k", "move(-1, 0)", "up"),
    Binding("down,j", "move(1, 0)", "down"),
    Binding("left,h", "move(0, -1)", "left"),
    Binding("right,l", "move(0, 1)", "right"),
    Binding("enter", "run_to", "run to the line"),
    Binding("p", "stop", "breakpoint"),
    Binding("slash", "ask('/')", "search", priority=True),
    Binding("colon", "ask(':')", "command", priority=True),
    Binding("full_stop", "hit(1)", "next hit"),
    Binding("comma", "hit(-1)", "hit before"),
    Binding("plus", "detail(True)", "numbers"),
    Binding("minus", "detail(False)", "colours"),
    Binding("z", "zoom", "zoom"),
    Binding("tab", "pane(1)", "next pane", priority=True),
    Binding("shift+tab", "pane(-1)", "pane before", priority=True),
    Binding("space", "play", "play"),
    Binding("left_square_bracket", "pace(-1)", "slower"),
    Binding("right_square_bracket", "pace(1)", "faster"),
    Binding("question_mark,f1", "explain", "help"),
    Binding("escape", "escape", "escape", priority=True),
    Binding("ctrl+l", "redraw", "paint anew"),
    Binding("ctrl+z", "suspend_process", "to the shell"),
    Binding("q,ctrl+q", "leave", "quit"),
    Binding("ctrl+c", "leave", "quit", priority=True),
    *(Binding(str(digit), f"digit({digit})", "a digit of the count") for digit in range(10)),
)
KEYS = (
    ("n N", "the next step of this warp, and back; digits before it count, 10n"),
    ("o O", "the same over the device functions that it calls: these run as a whole"),
    ("s S", "the next step of any warp, in the order in which they run; and back"),
    ("b B", "until the whole block has passed the next barrier; and back"),
    ("c C", "on to the next breakpoint, the fault or the end; and back"),
    ("0 G", "to the start, to the end; 40G to step 40"),
    ("w W", "look at another warp"),
    ("t T", "look at another lane; a click on it, too"),
    ("< >", "the lanes before or behind those that are in sight"),
    ("g", "look at another block of the grid"),
    ("m M", "look at another array"),
    (
        "← ↓ ↑ →",
        "or h j k l: in the source another line, in the registers a lane, in the array an element",
    ),
    ("enter", "run until this warp runs the chosen line; a double click on it, too"),
    ("p", "set a breakpoint at that line, or delete it"),
    ("/ , .", "search the source; the hit before, the next one"),
    (
        ":",
        "line N, step N, warp N, lane N, block N, array NAME, break N, search TEXT, quit; gdb's next, finish, continue",
    ),
    ("+ -", "registers as numbers of a few lanes, or all lanes as colours"),
    ("z", "give the pane under the cursor the whole screen, and back"),
    ("tab", "to the next pane"),
    ("space", "play, and stop again; [ slower, ] faster"),
    ("? q", "this page; quit"),
    ("", ""),
    ("▶ ▷ ‖ ✗", "in the source: the step, lanes that wait for others, or at a barrier; the fault"),
    (
        "32",
        "before a line of the source: so many lanes of this warp are there; w1 behind it: warp 1",
    ),
    ("▼ · ‖ □", "a lane runs, waits for others, waits at a barrier, has ended"),
    ("• → ← ↔", "changed by this step; read, written, both"),
    ("·", "no number yet: nobody has written it"),
    ("━ ╍ ◆ ◇", "in the timeline: all lanes run, some do; this warp, another one"),
)
HINTS = (
    ("n", "next"), ("N", "back"), ("s", "any warp"), ("b", "barrier"), ("c", "continue"), ("?", "help"),
    ("q", "quit"), ("o", "over"), ("w", "warp"), ("t", "lane"), (">", "more lanes"), ("m", "array"), ("space", "play"),
    ("p", "break"), ("/", "find"),
    (":", "command"), ("+ -", "detail"), ("z", "zoom"), ("g", "block"),
)  # fmt: skip


def help_page() -> Page:
    """The keys, and what the signs mean."""
    return page("stepping through a kernel", KEYS)
