"""Linear algebra on one thread: for many small problems, threads wait for each other longer than they reckon.

It also keeps the order of additions, and with it the last digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

Estimator = TypeVar("Estimator", bound=Callable[..., Any])

one_thread: Callable[[Estimator], Estimator] = threadpool_limits.wrap(limits=1)
