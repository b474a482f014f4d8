# What the package offers, read twice: by editors and mypy, and at run time by lazy_loader, which imports a name when it is first used.
from .counting import Tally as Tally
from .counting import tallied as tallied
from .running import ONE_THREAD as ONE_THREAD
from .running import SCALE as SCALE
from .running import Record as Record
from .running import run as run
from .writing import write_page as write_page
