"""Told to the environment before numpy is loaded, so nothing is imported here."""

from __future__ import annotations

#: One thread in the kernels and in the engine: the answers are the same, and companies run side by side instead.
ONE_THREAD = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "AFTER_SALES_THREADS")
}
