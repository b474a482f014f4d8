"""R's published answers on classical survival data, typed in from the literature."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.stats import (
    aalen_johansen,
    cox,
    kaplan_meier,
    log_rank,
    nelson_aalen,
    proportional_hazards,
    start_stop_rows,
)

# ------------------------------------------------------------------------------- the data


def _numbers(text: str) -> np.ndarray:
    return np.array([float(word) for word in text.split()])


def _times(text: str) -> pd.DataFrame:
    """Times with a ``+`` for those that ended without the event."""
    words = text.split()
    return pd.DataFrame(
        {
            "time": [float(word.rstrip("+")) for word in words],
            "event": [not word.endswith("+") for word in words],
        }
    )


def leukaemia() -> pd.DataFrame:
    """Weeks of remission, 6-MP against placebo: Freireich et al. (1963); Gehan (1965), *Biometrika* 52, 203-223, table 1."""
    drug = _times("6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+")
    placebo = _times("1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23")
    return pd.concat([drug.assign(placebo=0.0), placebo.assign(placebo=1.0)], ignore_index=True)


def ovarian() -> pd.DataFrame:
    """Days to death, ovarian cancer: Edmunson et al. (1979), as in R's ``survival::ovarian``."""
    frame = _times(
        """59 115 156 421+ 431 448+ 464 475 477+ 563 638 744+ 769+ 770+ 803+ 855+ 1040+ 1106+ 1129+ 1206+ 1227+ 268 329
        353 365 377+"""
    )
    age = _numbers(
        """72.3315 74.4932 66.4658 53.3644 50.3397 56.4301 56.9370 59.8548 64.1753 55.1781 56.7562 50.1096 59.6301
        57.0521 39.2712 43.1233 38.8932 44.6000 53.9068 44.2055 59.5890 74.5041 43.1370 63.2192 64.4247 58.3096"""
    )
    arm = _numbers("1 1 1 2 1 1 2 2 1 2 1 2 2 2 1 1 1 1 2 2 2 1 1 2 2 2")
    return frame.assign(age=age, rx=arm)


def lung() -> pd.DataFrame:
    """Days to death by sex, advanced lung cancer: Loprinzi et al. (1994), *J. Clin. Oncol.* 12, 601-607; R's ``lung``."""
    male = _times(
        """306 455 1010+ 210 883 1022+ 218 166 170 71 567 144 613 707 88 301 624 371 394 574 390 12 26 533 53 814 93 460 583 303
        519 643 189 53 246 689 65 132 223 175 163 65 428 230 840+ 11 132 11 176 791 95 196+ 806+ 284 147 163 655 239 88 30 179 310
        477 364 107 177 156 11 429 15 181 283 13 212 524 288 363 442 54 558 207 92 60 202 353 267 387 457 337 404+ 222 458+ 353 163
        31 229 444+ 156 329 291 179 292+ 142 413+ 320 181 285 301+ 197 303+ 180 300+ 284+ 259+ 110 286 270 81 131 225+ 269
        225+ 279+ 135 59 105 237+ 221+ 185+ 13 222+ 183 197+ 116 188+ 191+ 174+ 118"""
    )
    female = _times(
        """310 361 654 728 61 81 520 473 107 122 965+ 731 153 433 145 95 765 735 5 687 345 444 60 208 821+ 305 226 426 705 363
        167 641 740+ 245 588+ 166 559+ 450 529+ 351 201 524 199 550 551+ 543+ 293 511+ 511+ 371 201 62 356+ 340 315+ 182 364+ 376+
        384+ 268 266+ 194 348 382+ 296+ 186 145 350 272+ 292+ 332+ 285 243+ 276+ 79 240+ 202+ 235+ 224+ 239 173+ 252+ 92+ 192+ 211+
        175+ 203+ 105+ 269+ 177+"""
    )
    return pd.concat([male.assign(female=0.0), female.assign(female=1.0)], ignore_index=True)


def veteran() -> pd.DataFrame:
    """Days to death, Veterans' lung cancer trial: Kalbfleisch and Prentice (1980), appendix 1, data set 1."""
    rows = """
    1s 72/60/0 411/70/10 228/60/0 126/60/10 118/70/10 10/20/0 82/40/10 110/80/0 314/50/0 100+/70/0 42/60/0 8/40/10 144/30/0
       25+/80/10 11/70/10
    1m 30/60/0 384/60/0 4/40/0 54/80/10 13/60/0 123+/40/0 97+/60/0 153/60/10 59/30/0 117/80/0 16/30/10 151/50/0 22/60/0
       56/80/10 21/40/10 18/20/0 139/80/0 20/30/0 31/75/0 52/70/0 287/60/10 18/30/0 51/60/0 122/80/0 27/60/0 54/70/0 7/50/0
       63/50/0 392/40/0 10/40/10
    1a 8/20/10 92/70/0 35/40/0 117/80/0 132/80/0 12/50/10 162/80/0 3/30/0 95/80/0
    1l 177/50/10 162/80/0 216/50/0 553/70/0 278/60/0 12/40/10 260/80/0 200/80/10 156/70/0 182+/90/0 143/90/0 105/80/0
       103/80/0 250/70/10 100/60/10
    2s 999/90/10 112/80/0 87+/80/0 231+/50/10 242/50/0 991/70/10 111/70/0 1/20/10 587/60/0 389/90/0 33/30/0 25/20/0 357/70/0
       467/90/0 201/80/10 1/50/0 30/70/0 44/60/10 283/90/0 15/50/10
    2m 25/30/0 103+/70/10 21/20/0 13/30/0 87/60/0 2/40/10 20/30/10 7/20/0 24/60/0 99/70/0 8/80/0 99/85/0 61/70/0 25/70/0
       95/70/0 80/50/0 51/30/10 29/40/0
    2a 24/40/0 18/40/10 83+/99/0 31/80/0 51/60/0 90/60/10 52/60/0 73/60/0 8/50/0 36/70/0 48/10/0 7/40/0 140/70/0 186/90/0
       84/80/10 19/50/0 45/40/0 80/40/0
    2l 52/60/0 164/70/10 19/30/10 53/60/0 15/30/0 43/60/10 340/80/10 133/75/0 111/60/0 231/70/10 378/80/0 49/30/0
    """
    records, arm, cell = [], 0.0, ""
    for word in rows.split():
        if "/" not in word:
            arm, cell = float(word[0]), word[1]
            continue
        time, karno, prior = word.split("/")
        records.append(
            (arm, cell, float(time.rstrip("+")), not time.endswith("+"), float(karno), float(prior))
        )
    return pd.DataFrame(records, columns=["trt", "cell", "time", "event", "karno", "prior"])


def heart() -> pd.DataFrame:
    """Stanford heart transplants, one row per spell before and after the transplant: Crowley and Hu (1977), *JASA* 72,
    27-36; as in R's ``survival::heart`` (age in years minus 48; waits of zero shortened ties as there)."""
    # wait (or -) / end / age / surgery; a + for those alive at the end
    rows = """-/50/-17.15537/0 -/6/3.83573/0 1/16/6.29706/0 36/39/-7.73717/0 -/18/-27.21424/0 -/3/6.59548/0 51/675/2.86927/0
    -/40/-2.65024/0 -/85/-0.83778/0 12/58/-5.49760/0 26/153/-0.01916/0 -/8/5.19370/0 17/81/6.57358/0 37/1387/6.01232/0
    -/1/5.81520/1 28/308/1.44832/0 -/36/-27.66872/0 20/43/8.84873/0 -/37/11.12389/0 18/28/7.27995/0 8/1032/-4.65708/0
    12/51/-5.21561/0 3/733/10.35729/0 83/219/3.80014/0 25/1800+/-14.77618/0 -/1401+/-17.46475/0 -/263/-39.21424/0
    71/72/6.02327/0 -/35/2.43395/0 16/852/-3.08830/0 -/16/6.88569/0 17/77/16.40794/0 51/1587+/0.90349/0
    23/1572+/-7.44695/0 -/12/-4.53388/0 46/100/0.92539/0 19/66/13.50034/0 4.5/5/-6.52977/0 2/53/2.51882/0
    41/1408+/0.48186/1 58/1322+/-2.69678/1 -/3/-11.55921/0 -/2/-4.60780/1 -/40/-5.42094/1 1/45/-11.81656/0 2/996/0.61054/1
    21/72/-0.90075/0 -/9/8.03559/0 36/1142+/-11.34565/1 83/980/-2.11362/1 32/285/0.73374/0 -/102/-6.75154/0
    41/188/-0.65708/0 -/3/-0.20808/0 10/61/4.45448/0 67/942+/-9.25667/0 -/149/-6.73511/0 21/343/0.01643/1
    78/916+/-6.61739/1 3/68/1.05407/0 -/2/4.56400/0 -/69/-8.64613/0 27/842+/-15.34018/0 33/584/0.81588/1 12/78/3.29363/0
    -/32/5.21287/0 57/285/-28.44901/0 3/68/-2.75975/0 10/670+/-0.01095/0 5/30/5.00205/0 31/620+/-0.59138/0
    4/596+/-21.27310/0 27/90/8.33128/0 5/17/-18.83368/0 -/2/4.18070/0 46/545+/4.08487/1 -/21/-6.88843/0
    210/515+/0.70363/0 67/96/5.78234/0 26/482+/-1.55510/1 6/445+/4.89254/0 -/428+/-18.79808/0 32/80/5.30869/0
    37/334/-5.28131/0 -/5/-0.01916/0 8/397+/0.91992/0 60/110/-1.74675/0 31/370+/6.36277/0 139/207/3.04723/0
    160/186/4.03285/1 -/340/-0.40520/0 310/340+/-3.01711/0 28/265+/-0.24914/0 4/165/-4.15880/1 2/16/-7.71800/0
    13/180+/-21.34976/0 21/131+/-24.38330/0 96/109+/-19.37029/0 -/21/1.83436/0 38/39+/-12.93908/1 -/31+/1.51677/0
    -/11+/-7.60849/0 -/6/-8.68446/0"""
    # years from 1 October 1967 to acceptance
    years = _numbers(
        """0.1232 0.2546 0.2656 0.4901 0.6078 0.7009 0.7803 0.8350 0.8569 0.8624 0.8734 0.9637 0.9692 0.9719 0.9911 1.0705 1.0760 1.0869
        1.1335 1.3306 1.3388 1.4620 1.5277 1.5661 1.5743 1.5825 1.5907 1.6838 1.7851 1.8836 1.8946 1.9110 2.1574 2.1985 2.3080 2.5079
        2.5654 2.5927 2.6338 2.6475 2.8830 2.8884 3.0582 3.1650 3.2635 3.2772 3.3402 3.3484 3.3758 3.3758 3.4771 3.5647 3.7509 3.7509
        3.8549 3.9233 3.9507 3.9781 3.9945 4.1314 4.1752 4.1889 4.1971 4.3368 4.4298 4.4682 4.4764 4.5175 4.6680 4.7118 4.8049 4.8706
        4.9473 4.9665 4.9966 5.0103 5.0157 5.0924 5.1663 5.1828 5.2841 4.0849 5.3169 5.3333 5.3525 5.4155 5.4702 5.4894 5.5113 5.5140
        5.5332 5.5715 5.7769 5.9548 5.9767 6.0096 6.1437 6.2040 6.2341 6.3956 6.4175 6.4723 -0.0493"""
    )
    told = pd.DataFrame([word.split("/") for word in rows.split()], columns=["wait", "end", "age", "surgery"])
    stop, number = told["end"].str.rstrip("+").astype(float), told.index
    watched = pd.DataFrame({"subject": number, "start": 0.0, "stop": stop, "year": years, "transplant": 0.0})
    watched = watched.assign(age=told["age"].astype(float), surgery=told["surgery"].astype(float))
    waited = told["wait"] != "-"
    changes = pd.DataFrame(
        {"subject": number[waited], "time": told["wait"][waited].astype(float), "transplant": 1.0}
    )
    died = ~told["end"].str.endswith("+")
    return start_stop_rows(watched, changes, pd.DataFrame({"subject": number[died], "time": stop[died]}))


# ------------------------------------------------------------------------------- the answers


def test_leukaemia_kaplan_meier():
    # Kalbfleisch and Prentice (1980), table 1.3 / Klein and Moeschberger (2003), table 4.1 (6-MP arm).
    drug = leukaemia().query("placebo == 0")
    curve = kaplan_meier(drug["time"], drug["event"], scale="plain").table.query("events > 0")
    assert curve["time"].tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve["at_risk"].tolist() == [21, 17, 15, 12, 11, 7, 6]
    expected = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert curve["survival"].tolist() == pytest.approx(expected, abs=5e-4)
    errors = [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346]
    assert curve["std_error"].tolist() == pytest.approx(errors, abs=5e-5)
    # Klein and Moeschberger (2003), table 4.2: Nelson-Aalen.
    hazard = nelson_aalen(drug["time"], drug["event"]).query("events > 0")
    assert hazard["cumulative_hazard"].tolist() == pytest.approx(
        [0.1428, 0.2017, 0.2683, 0.3517, 0.4426, 0.5854, 0.7521], abs=2e-4
    )
    assert kaplan_meier(drug["time"], drug["event"]).median.value == 23


def test_leukaemia_log_rank_and_wilcoxon():
    # Log-rank 16.79 (R's survdiff), Gehan's generalised Wilcoxon 13.46 (SAS and R).
    data = leukaemia()
    test = log_rank(data["time"], data["event"], data["placebo"])
    assert test.statistic == pytest.approx(16.79, abs=5e-3)
    assert test.table["expected"].tolist() == pytest.approx([19.3, 10.7], abs=0.05)
    assert test.table["observed"].tolist() == [9, 21]
    gehan = log_rank(data["time"], data["event"], data["placebo"], weighting="gehan")
    assert gehan.statistic == pytest.approx(13.46, abs=5e-3)
    peto = log_rank(data["time"], data["event"], data["placebo"], weighting="peto_peto")
    rho = log_rank(data["time"], data["event"], data["placebo"], weighting="fleming_harrington", rho=1)
    assert peto.statistic == pytest.approx(rho.statistic)


def test_leukaemia_cox_by_ties():
    # R's coxph: Efron 1.5721 (0.4124), Breslow 1.5092 (0.4096); Cox (1972) table 1 has the data.
    data = leukaemia()
    efron = cox(data[["placebo"]], data["time"], data["event"])
    breslow = cox(data[["placebo"]], data["time"], data["event"], ties="breslow")
    assert efron.coefficients.loc["placebo", ["coefficient", "std_error"]].tolist() == pytest.approx(
        [1.5721, 0.4124], abs=5e-5
    )
    assert breslow.coefficients.loc["placebo", ["coefficient", "std_error"]].tolist() == pytest.approx(
        [1.5092, 0.4096], abs=5e-5
    )
    assert efron.coefficients.loc["placebo", "hazard_ratio"] == pytest.approx(4.817, abs=5e-4)
    assert breslow.log_likelihood == pytest.approx(-86.38, abs=5e-3)


def test_three_tests_of_a_cox_model():
    # R, survival: summary(coxph(Surv(time, status) ~ sex, lung)) and coxph(Surv(time, cens) ~ treat, MASS::gehan): likelihood ratio, Wald, score.
    data = lung()
    fit = cox(data[["female"]], data["time"], data["event"])
    assert [round(test[0], 2) for test in (fit.likelihood_ratio, fit.wald, fit.score_test)] == [
        10.63,
        10.09,
        10.33,
    ]
    assert round(fit.concordance(), 3) == 0.579
    data = leukaemia()
    fit = cox(data[["placebo"]], data["time"], data["event"])
    assert [round(test[0], 2) for test in (fit.likelihood_ratio, fit.wald, fit.score_test)] == [
        16.35,
        14.53,
        17.25,
    ]


def test_lung_survival():
    # R, survival: survfit(Surv(time, status) ~ 1, lung) and ~ sex; one-year survival, restricted mean.
    data = lung()
    curve = kaplan_meier(data["time"], data["event"], scale="log")
    assert (curve.subjects, curve.events) == (228, 165)
    assert (curve.median.value, curve.median.low, curve.median.high) == (310, 285, 363)
    year = curve.at([365.25]).iloc[0]
    assert year[["survival", "std_error", "low", "high", "at_risk"]].tolist() == pytest.approx(
        [0.409, 0.0358, 0.345, 0.486, 65], abs=5e-4
    )
    mean = curve.restricted_mean(1022)
    assert (mean.value, mean.std_error) == pytest.approx((376.3, 19.7), abs=0.05)
    for female, median in ((0.0, (270, 212, 310)), (1.0, (426, 348, 550))):
        group = data[data["female"] == female]
        found = kaplan_meier(group["time"], group["event"], scale="log").median
        assert (found.value, found.low, found.high) == median


def test_lung_log_rank_and_cox():
    # R: survdiff chisq 10.3 (expected 91.6, 73.4), with rho=1 12.7; coxph(~ sex) -0.5310 (0.1672), ratio 0.588.
    data = lung()
    test = log_rank(data["time"], data["event"], data["female"])
    assert test.statistic == pytest.approx(10.3, abs=0.05)
    assert test.table["expected"].tolist() == pytest.approx([91.6, 73.4], abs=0.05)
    early = log_rank(data["time"], data["event"], data["female"], weighting="peto_peto")
    assert early.statistic == pytest.approx(12.7, abs=0.05)
    assert early.table["observed"].tolist() == pytest.approx([70.4, 28.7], abs=0.05)
    fit = cox(data[["female"]], data["time"], data["event"])
    assert fit.coefficients.loc[
        "female", ["coefficient", "std_error", "hazard_ratio"]
    ].tolist() == pytest.approx([-0.5310, 0.1672, 0.588], abs=5e-5 * 10)


def test_ovarian():
    # R, survival: survdiff(~ rx) chisq 1.1, expected 5.23 and 6.77; coxph(~ age) 0.1616 (0.0497);
    # coxph(~ age + strata(rx)) 0.1374 (0.0474).
    data = ovarian()
    test = log_rank(data["time"], data["event"], data["rx"])
    assert test.statistic == pytest.approx(1.06, abs=5e-3)
    assert test.p_value == pytest.approx(0.303, abs=5e-4)
    assert test.table["expected"].tolist() == pytest.approx([5.23, 6.77], abs=5e-3)
    plain = cox(data[["age"]], data["time"], data["event"])
    assert plain.coefficients.loc["age", ["coefficient", "std_error"]].tolist() == pytest.approx(
        [0.1616, 0.0497], abs=5e-5
    )
    stratified = cox(data[["age"]], data["time"], data["event"], strata=data["rx"])
    assert stratified.coefficients.loc["age", ["coefficient", "std_error"]].tolist() == pytest.approx(
        [0.1374, 0.0474], abs=5e-5
    )


def test_veteran_and_its_proportional_hazards():
    # Therneau, Crowson and Atkinson, vignette "Using time dependent covariates ..." of R's survival (version 3), section 4.
    data = veteran()
    fit = cox(data[["trt", "prior", "karno"]], data["time"], data["event"])
    assert fit.coefficients["coefficient"].tolist() == pytest.approx(
        [0.180197, -0.005551, -0.033771], abs=1e-6
    )
    assert fit.coefficients["std_error"].tolist() == pytest.approx([0.183468, 0.020225, 0.005114], abs=1e-6)
    assert fit.likelihood_ratio[0] == pytest.approx(43, abs=0.05)
    test = proportional_hazards(fit)
    assert test["statistic"].tolist() == pytest.approx([0.288, 2.168, 12.138, 18.073], abs=5e-4)
    assert test["p_value"].tolist() == pytest.approx([0.59125, 0.14087, 0.00049, 0.00042], abs=5e-6)
    assert test["degrees"].tolist() == [1, 1, 1, 3]


def test_heart_transplants_with_time_varying_treatment():
    # Crowley and Hu's data in R's survival: coxph(Surv(start, stop, event) ~ age + year + surgery + transplant, heart).
    data = heart()
    assert (len(data), int(data["event"].sum())) == (172, 75)
    names = ["age", "year", "surgery", "transplant"]
    fit = cox(data[names], data["stop"], data["event"], entry=data["start"])
    assert fit.coefficients["coefficient"].tolist() == pytest.approx(
        [0.0272, -0.1463, -0.6372, -0.0103], abs=5e-5
    )
    assert fit.coefficients["std_error"].tolist() == pytest.approx([0.0137, 0.0705, 0.3672, 0.3138], abs=5e-5)
    assert fit.likelihood_ratio[0] == pytest.approx(15.11, abs=5e-3)
    assert fit.log_likelihood == pytest.approx(-290.566, abs=5e-4)


def test_competing_events():
    # R's cmprsk::cuminc for the incidence, Stata's stcompet for the standard error (as recorded in statsmodels'
    # test_survfunc.test_incidence).
    time = [1, 1, 2, 4, 4, 4, 6, 6, 7, 8, 9, 9, 9, 1, 2, 2, 4, 4]
    cause = [1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    table = aalen_johansen(time, cause).table
    last = table.groupby("cause").last()
    assert last["incidence"].tolist() == pytest.approx([0.17037037, 0.20740741, 0.26666667], abs=1e-8)
    first = table.query("cause == 1")
    assert first["incidence"].tolist()[:2] == pytest.approx([0.11111111, 0.17037037], abs=1e-8)
    assert first["std_error"].tolist()[:2] == pytest.approx([0.07407407, 0.08976251], abs=1e-8)
    # the same answers between event times; 18 subjects, of whom 3, 3, 5, 2, 1, 1 and 3 left at 1, 2, 4, 6, 7, 8 and 9
    at = aalen_johansen(time, cause).at([0.5, 1.9, 3, 9, 9.5]).query("cause == 1")
    assert at["incidence"].tolist() == pytest.approx(
        [0, 0.11111111, 0.17037037, 0.17037037, np.nan], abs=1e-8, nan_ok=True
    )
    assert at["std_error"].tolist()[1:3] == pytest.approx([0.07407407, 0.08976251], abs=1e-8)
    assert at["at_risk"].tolist() == [18, 15, 12, 3, 0]


# ------------------------------------------------------------------------------- R's answers that ship with statsmodels


def shipped(name: str) -> Path:
    package = importlib.import_module("statsmodels.duration.tests.results")
    return Path(next(iter(package.__path__))) / name


def test_bone_marrow_transplants():
    # R's survdiff on Klein and Moeschberger's data: 13.44556; SAS's product-limit table for the ALL group.
    data = pd.read_csv(shipped("bmt.csv"))
    groups = data[data["Group"] != "ALL"]
    assert log_rank(groups["T"], groups["Status"], groups["Group"]).statistic == pytest.approx(
        13.44556, abs=1e-4
    )
    leukaemic = data[data["Group"] == "ALL"]
    curve = kaplan_meier(leukaemic["T"], leukaemic["Status"]).table.query("events > 0")
    known = pd.read_csv(shipped("bmt_results.csv"))
    assert curve["time"].tolist() == known["t"].tolist()
    assert curve["survival"].tolist() == pytest.approx(known["s"].tolist(), abs=5e-5)
    assert curve["std_error"].tolist() == pytest.approx(known["se"].tolist(), abs=5e-5)


@pytest.mark.parametrize("size", ["20_1", "50_1", "50_2", "100_5", "1000_10"])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("form", ["", "et_", "st_", "et_st_"])
def test_simulated_sets_agree_with_coxph(size, ties, form):
    # statsmodels.duration.tests: R's coxph with delayed entry (et), strata (st), both and neither.
    answers = importlib.import_module("statsmodels.duration.tests.results.survival_r_results")
    data = np.loadtxt(shipped(f"survival_data_{size}.csv"))
    kept = data[:, 2] < data[:, 0] if form.startswith("et") else np.ones(len(data), dtype=bool)
    strata = np.kron(np.arange(5), np.ones(len(data) // 5))
    fit = cox(
        pd.DataFrame(data[kept, 3:]),
        data[kept, 0],
        data[kept, 1],
        entry=data[kept, 2] if form.startswith("et") else None,
        strata=strata[kept] if "st" in form else None,
        ties=ties,
    )
    name = f"{size}_{form}{ties[:3]}"
    assert fit.coefficients["coefficient"].to_numpy() == pytest.approx(
        getattr(answers, f"coef_{name}"), rel=1e-5
    )
    assert fit.coefficients["std_error"].to_numpy() == pytest.approx(getattr(answers, f"se_{name}"), rel=1e-5)
