"""At a kink there is no one slope: whatever lies between the two is right, and the check says so."""

import tracer as tr

x = tr.tensor([-1.0, 0.0, 0.0, 2.0])
loss = tr.sum(tr.relu(x) * tr.constant([1.0, 2.0, -3.0, 1.0]))
loss.backward()
