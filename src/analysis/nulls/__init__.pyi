# What the package offers, read twice: by editors and mypy, and at run time by lazy_loader, which imports a name when it is first used.
from .counting import Covered as Covered
from .counting import Tally as Tally
from .counting import covered as covered
from .counting import tallied as tallied
from .running import CONFOUNDED as CONFOUNDED
from .running import NULLS as NULLS
from .running import PLANTED as PLANTED
from .running import SCALE as SCALE
from .running import Record as Record
from .running import run as run
from .threads import ONE_THREAD as ONE_THREAD
from .writing import write_page as write_page
