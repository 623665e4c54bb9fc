"""The backward pass of scalars as a circuit: gradients on wires, a gate for each factor, a sum where flows meet."""

from __future__ import annotations

from tracer.diagrams.measure import room_for
from tracer.diagrams.moments import SMALL
from tracer.diagrams.names import plain
from tracer.diagrams.picture import Edge, Gate, Joint, Role, Run, Text, Wire
from tracer.diagrams.sweeps.plans import Plan
from tracer.diagrams.sweeps.rules import factor_text, rule_formula

LEAST_ROOM = 46.0


def gradient_wire(plan: Plan, i: int) -> None:
    """The gradient of node i on its wire, where it comes from, and the factors that it is multiplied by next."""
    moment = plan.moment
    reading, final = moment.read(i), moment.fullest(i)
    name = plan.name(i)
    seed = (Run("seed", "quiet", 12),) if plan.is_seed(i) else ()
    home = plan.home(i)
    plan.put(
        home,
        Wire(
            f"n{i}",
            name,
            reading.gradient,
            seed,
            name_at="left",
            width=room_for(name, final.gradient, least=LEAST_ROOM),
            tip=moment.tip(i, reading),
            role="ahead" if plan.is_ahead(i) else "wire",
            nodes=(i,),
        ),
    )
    _summed_wires(plan, i, home)
    sent = [edge for edge in moment.trace.flows_of(i) if edge in plan.flows]
    start = f"n{i}"
    if len(sent) > 1:
        role: Role = "ahead" if plan.is_ahead(i) else "wire"
        start = f"j{i}"
        plan.put(home, Joint(start, role=role))
        plan.edges.append(Edge(f"n{i}", start, "e", arrow=False, role=role, weight=3))
    for edge in sent:
        plan.put(
            plan.frames.around[i],
            Gate(
                f"r{edge}",
                factor_text(moment, edge),
                tip=plain(rule_formula(moment.trace, edge)),
                ahead=not moment.has_come(edge),
                current=plan.is_moving(edge),
            ),
        )
        plan.join(start, f"r{edge}", edge)


def _summed_wires(plan: Plan, i: int, home: tuple[int, ...]) -> None:
    """The lines by which flows reach the gradient of node i: straight, or each with its number into a sum."""
    edges, others = plan.into[i], plan.elsewhere(i)
    if len(edges) == 1 and not others:
        plan.join(f"r{edges[0]}", f"n{i}", edges[0], arrow=False, weight=5)
        return
    if not edges:
        return
    ahead = plan.is_ahead(i)
    plan.put(home, Gate(f"s{i}", (Run("+", size=20),), tip="sum of the flows", ahead=ahead))
    role: Role = "ahead" if ahead else "wire"
    plan.edges.append(Edge(f"s{i}", f"n{i}", "", "w", False, role, dashed=ahead, weight=5))
    for edge in edges:
        come = plan.moment.has_come(edge)
        wire = Wire(
            f"f{edge}",
            (),
            plan.number(edge),
            width=room_for(plan.final_number(edge), least=24),
            role="wire" if come else "ahead",
        )
        plan.put(home, wire)
        plan.join(f"r{edge}", f"f{edge}", edge, arrow=False)
        plan.join(f"f{edge}", f"s{i}", edge)
    if others:
        plan.put(home, Wire(f"e{i}", (), _from_elsewhere(others), width=40, role="ahead"))
        plan.edges.append(Edge(f"e{i}", f"s{i}", "e", role="ahead", dashed=True))


def _from_elsewhere(others: int) -> Text:
    return (Run(f"{others} from elsewhere", "quiet", SMALL),)
