"""What a notebook prints beside its exhibits."""

from __future__ import annotations

import subprocess
import sys


def test_a_warning_in_a_notebook_names_no_file_of_the_machine():
    # in a process of its own: pytest keeps warnings to itself
    script = (
        "import warnings; from analysis.workbook import month_run; "
        "warnings.formatwarning = month_run._without_path; "
        "warnings.warn_explicit('overflow in exp', RuntimeWarning, '/home/someone/analysis/life.py', 813)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stderr == "RuntimeWarning: overflow in exp\n"
