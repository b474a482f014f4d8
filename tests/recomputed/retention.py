from recomputed.register import Section
SECTION = Section("retention")
