"""The judge of traces: it passes what the rules allow, and fails what the original did.

Each trace is what the original engine node was seen to do, with its seed's times; the figures
come from runs of its own code against a model of the board.
"""
import collections
import unittest

import judge

Row = collections.namedtuple("Row", "t_ms contacts inputs")


def rules(rows, end_ms=None):
    return {v.split()[0] for v in judge.judge([Row(*r) for r in rows], end_ms=end_ms)}


def late_engine(and_then=()):
    return [(0, 0x00, 0), (1000, 0x08, 2), (1500, 0x09, 10), (11500, 0x0d, 10),
            (13500, 0x08, 2), (13600, 0x08, 3), (97500, 0x0a, 3), *and_then]


class Judge(unittest.TestCase):
    def test_the_seeds_table_with_a_late_engine_breaks_no_rule(self):
        self.assertEqual(rules(late_engine([(500000, 0x08, 3), (680000, 0x00, 3)])), set())

    def test_a_crank_that_ends_with_the_engine_breaks_no_rule(self):
        rows = [(0, 0, 0), (1000, 0x08, 2), (1500, 0x09, 10), (3000, 0x09, 11),
                (3040, 0x08, 3), (90000, 0x0a, 3)]
        self.assertEqual(rules(rows, 100000), set())

    def test_defect_d1_a_crank_of_fixed_length_on_a_running_engine(self):
        rows = [(0, 0, 0), (1000, 0x08, 2), (1500, 0x09, 10), (2600, 0x09, 11),
                (11500, 0x0d, 11), (13500, 0x08, 3)]
        self.assertIn("S3", rules(rows))

    def test_defect_d2_charger_on_an_engine_that_died_in_warm_up(self):
        rows = late_engine()[:-1] + [(40000, 0x08, 2), (97500, 0x0a, 2)]
        self.assertIn("C1", rules(rows))

    def test_defect_d3_stop_while_stopped_turns_the_fuel_on(self):
        self.assertIn("F2", rules([(0, 0x08, 2), (180000, 0x00, 0)]))

    def test_defect_d4_and_0_3_the_starter_stays_closed_for_ever(self):
        self.assertIn("S4", rules([(0, 0, 0), (1000, 0x08, 2), (1500, 0x09, 10)], 60000))

    def test_defect_0_2_and_d8_a_stop_in_the_crank_is_overrun_by_the_start(self):
        rows = [(0, 0, 0), (1000, 0x08, 2), (1500, 0x09, 10), (5900, 0x08, 2), (12400, 0x0d, 10)]
        self.assertIn("S5", rules(rows))

    def test_defect_0_1_an_old_stop_kills_the_next_start_and_the_dead_engine_gets_the_load(self):
        rows = [(237200, 0, 0), (238200, 0x08, 2), (238700, 0x09, 10), (248700, 0x0d, 10),
                (250700, 0x08, 3), (292100, 0x00, 1), (293000, 0x00, 0), (334700, 0x0a, 2)]
        self.assertIn("C1", rules(rows))

    def test_defect_0_5_and_d12_noise_on_in3_cranks_a_running_engine(self):
        rows = [(0, 0, 7), (1000, 0x08, 7), (1500, 0x09, 15), (11500, 0x0d, 15),
                (13500, 0x08, 7), (17500, 0x00, 5)]
        self.assertLessEqual({"S2", "S3"}, rules(rows))

    def test_defect_d9_a_restart_cuts_the_engine_off_under_load(self):
        self.assertIn("C2", rules(late_engine([(200000, 0x00, 3)])))

    def test_starter_with_the_charger_closed_is_told(self):
        self.assertIn("S1", rules([(0, 0x0b, 10), (500, 0x08, 2)]))


if __name__ == "__main__":
    unittest.main()
