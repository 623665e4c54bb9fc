"""`tr.check`: tests from cheap to dear, each rule by itself, then directions through the whole, then elements."""
