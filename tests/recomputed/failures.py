from recomputed.register import Section
SECTION = Section("failures")
