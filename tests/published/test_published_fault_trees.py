"""Fault trees with published cut sets and probabilities."""

from __future__ import annotations

import pytest

from analysis.failures import FaultTree


def read(text, *, top, probability, house=()):
    """``name: and a b`` a gate (``2of`` a vote), one a line; inputs that are no gates are events."""
    gates = {}
    for line in text.strip().splitlines():
        name, rest = line.split(":")
        kind, *inputs = rest.split()
        vote = kind.endswith("of")
        gates[name.strip()] = {
            "kind": "at_least" if vote else kind,
            "of": inputs,
            **({"needed": int(kind[:-2])} if vote else {}),
        }
    events = sorted({one for gate in gates.values() for one in gate["of"]} - set(gates) - set(house))
    given = probability if isinstance(probability, dict) else dict.fromkeys(events, probability)
    content = {
        "top": top,
        "gates": gates,
        "events": {name: {"probability": given[name]} for name in events},
        "house": dict.fromkeys(house, True),
    }
    return FaultTree.from_mapping(content, name=top)


def test_pressure_tank_of_the_fault_tree_handbook():
    # NUREG-0492, Fault Tree Handbook (Vesely, Goldberg, Roberts and Haasl, 1981), chapter VIII: rupture of the pressure
    # tank; reduced in chapter VII to the minimal cut sets T, K2, S S1, S K1 and S R. Tank 5e-6, relays K1 and K2 3e-5,
    # pressure switch 1e-4, timer relay 1e-4, switch S1 3e-5: single failures make up nearly all of 3.5e-5.
    tank = read(
        """
        E1: or T E2
        E2: or K2 E3
        E3: and S E4
        E4: or S1 E5
        E5: or K1 R
        """,
        top="E1",
        probability={"T": 5e-6, "K2": 3e-5, "S": 1e-4, "S1": 3e-5, "K1": 3e-5, "R": 1e-4},
    )
    found = tank.minimal_cut_sets()
    assert set(found["events"]) == {("T",), ("K2",), ("S", "S1"), ("K1", "S"), ("R", "S")}
    assert tank.top_probability() == pytest.approx(3.5e-5, rel=5e-3)
    assert found["share"].head(2).sum() > 0.999
    assert tank.importance()["event"].head(2).tolist() == ["K2", "T"]


THREE_MOTOR = """
E1: and E2 E3
E2: or K5 E4
E4: and t1 E6
E6: or T2 K5
E3: or K2 E5
E5: or T1 E8
E8: or K1 E9
E9: or E10 E11
E10: and KT1 KT3 E12
E12: or KT2 T4
E11: or S1 T3
t1: or K1 t2
t2: or t3 t4
t4: or S1 T1inc
t3: and t5 t6 t7
t5: or KT1inc T2inc
t6: or KT2inc T3inc
t7: or KT3inc T4inc
"""


def test_three_motors():
    # The three-motor tree of the Fault Tree Handbook, as distributed with OpenFTA and SCRAM (benchmark "ThreeMotor"):
    # timers reset (house events), all probabilities 0.02: twelve minimal cut sets, top event 0.0211538.
    motors = read(THREE_MOTOR, top="E1", probability=0.02, house=("KT1", "KT2", "KT3"))
    expected = {("K5",), ("S1", "T2"), ("K1", "T2"), ("T1inc", "T2")}
    for first in ("KT1inc", "T2inc"):
        for second in ("KT2inc", "T3inc"):
            for third in ("KT3inc", "T4inc"):
                expected.add(tuple(sorted((first, second, third, "T2"))))
    assert set(motors.minimal_cut_sets()["events"]) == expected
    assert motors.top_probability() == pytest.approx(0.0211538, abs=1e-6)


def test_two_trains_of_pumps_and_valves():
    # SCRAM benchmark "TwoTrain": pumps 0.7 and valves 0.5, top event 0.7225 with four minimal cut sets.
    trains = read(
        """
        top: and one two
        one: or valve1 pump1
        two: or valve2 pump2
        """,
        top="top",
        probability={"valve1": 0.5, "valve2": 0.5, "pump1": 0.7, "pump2": 0.7},
    )
    assert trains.top_probability() == pytest.approx(0.7225, abs=1e-12)
    assert len(trains.minimal_cut_sets()) == 4


CHINESE = """
r1: and g1 g2
g2: and g5 g4
g4: or e5 e7 e4 e6 g8
g8: and g11 g12
g12: and g18 g19
g19: or e24 e25
g18: or e22 e23
g11: or e14 e15 e16 g17
g17: and g22 g23
g23: or e20 e19
g22: or e18 e17 e21
g5: or e8 g9
g9: and g13 g14
g14: or e5 e7 e4 e6 g21
g21: and g26 g27
g27: or e12 e13
g26: or e10 e9 e11 g31
g31: and g34 g35
g35: or e18 e17
g34: or e20 e19 e21
g13: or e1 e2 e3 g20
g20: and g24 g25
g25: and g29 g30
g30: or e24 e25
g29: or e22 e23
g24: or e14 e15 e16 g28
g28: and g32 g33
g33: or e20 e19
g32: or e18 e17 e21
g1: or e1 e2 e3 g3
g3: and g7 g6
g6: or e10 e9 e11 g10
g10: and g16 g15
g15: or e18 e17
g16: or e20 e19 e21
g7: or e12 e13
"""


def test_chinese_tree_of_the_aralia_benchmark():
    # Aralia benchmark "chinese" (Rauzy and others; distributed with XFTA and SCRAM): 392 minimal cut sets, by order
    # 12 of 2, 24 of 4, 188 of 5, 168 of 6.
    chinese = read(CHINESE, top="r1", probability=0.01)
    assert chinese.cut_set_counts() == {2: 12, 4: 24, 5: 188, 6: 168}
    assert len(chinese.minimal_cut_sets()) == 392
    # exact lies between the leading cut sets by inclusion and exclusion and their sum
    assert 12e-4 * 0.95 < chinese.top_probability() < chinese.top_probability(method="rare_event")


BAOBAB = """
r1: and g1 g3 g2
g2: or g25 g26 g27
g27: 3of g29 g28 g31 g30
g30: or e7 g15 g18
g31: or e6 g11 g14
g28: or e9 g22 g24
g29: or e8 g19 g21
g26: or e14 g45 g44
g44: 3of g77 g79 g76 g78
g78: or e46 g15
g76: or e48 g22
g79: or e45 g11
g77: or e47 g19
g45: 3of g73 g75 g72 g74
g74: or e42 g15
g72: or e44 g22
g75: or e41 g11
g73: or e43 g19
g25: 3of g82 g83 g80 g81
g81: or e51 g19
g80: or e52 g22
g83: or e49 g11
g82: or e50 g15
g3: or e1 g5 g4 g6
g6: and g9 g10 g7 g8
g8: or e4 g19 g21 g20 g13
g21: or e12 g19 g32
g7: or e5 g22 g24 g23 g17
g24: or e13 g22 g33
g10: or e2 g11 g14 g12 g13
g14: or e10 g11 g32
g32: and g35 g34
g34: and g49 g48
g48: or e19 g20
g49: or e17 g12
g9: or e3 g15 g18 g16 g17
g18: or e11 g15 g33
g33: and g35 g36
g36: and g51 g50
g50: or e20 g23
g51: or e18 g16
g35: or g43 g42
g42: 3of g69 g71 g68 g70
g70: or e38 g15
g68: or e40 g22
g71: or e37 g11
g69: or e39 g19
g43: 3of g65 g67 g64 g66
g66: or e34 g15
g64: or e36 g22
g22: and e61 e53
g67: or e33 g11
g11: and e58 e53
g65: or e35 g19
g19: and e53 e60
g15: and e53 e59
g1: or e1 g5 g4 g37
g37: 2of g39 g41 g38 g40
g40: or e4 g13 g20
g38: or e5 g17 g23
g41: or e2 g13 g12
g13: or e15 g46
g46: and g53 g52
g52: or e31 g20
g53: or e29 g12
g39: or e3 g17 g16
g17: or e16 g47
g47: and g55 g54
g54: or e32 g23
g55: or e30 g16
g4: 3of g61 g63 g60 g62
g62: or e26 g16
g60: or e28 g23
g63: or e25 g12
g61: or e27 g20
g5: 3of g57 g59 g56 g58
g58: or e22 g16
g16: and e56 e53
g56: or e24 g23
g23: and e53 e57
g59: or e21 g12
g12: and e53 e54
g57: or e23 g20
g20: and e55 e53
"""


def test_baobab1_of_the_aralia_benchmark():
    # Aralia benchmark "baobab1": 61 events; 46,188 minimal cut sets, 2,684 of order 6 at most and 17,432 of order 7
    # at most (SCRAM performance tests "Baobab1_L6" and "Baobab1_L7").
    baobab = read(BAOBAB, top="r1", probability=0.01)
    counts = baobab.cut_set_counts()
    assert sum(counts.values()) == 46_188
    assert sum(count for order, count in counts.items() if order <= 6) == 2_684
    assert sum(count for order, count in counts.items() if order <= 7) == 17_432
    assert len(baobab.minimal_cut_sets(max_order=6)) == 2_684
