from dataclasses import dataclass
@dataclass(frozen=True, slots=True)
class Expectation: ...
def expectation_of(heads, projected): return None
