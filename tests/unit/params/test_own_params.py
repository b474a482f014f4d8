"""Params of one run, or of its template, stand for those of the same name while that run is worked on, and for no other."""

from __future__ import annotations

import pytest

from analysis.errors import ParameterError
from analysis.params import Assumptions, CostTree, load_run
from analysis.params.places import frozen, params_file, params_in_force, shipped_root, use_own, with_own

RUN = 'company: {{en: {0}, zh: {0}}}\ndata: data\nmonth: "2026-10"\ncurrency: EUR\ntime_zone: Europe/Berlin\n'
TREE = (
    "version: 1\ncategories:\n  labour: {{name: {{en: {0}, zh: {0}}}, behaviour: capacity}}\naccounts: []\n"
)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    for name, text in {
        "runs/acme.yml": RUN.format("Acme") + "template: atelier\n",
        "runs/other.yml": RUN.format("Other"),
        "runs/acme/cost_tree.yml": TREE.format("Pay"),
        "templates/atelier/cost_tree.yml": TREE.format("People"),
        "templates/atelier/metrics/more.yml": "{}\n",
    }.items():
        path = tmp_path / "params" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    yield tmp_path
    use_own(())


def label() -> str:
    return CostTree.load().categories["labour"].name.en


def test_the_run_goes_before_its_template_and_that_before_the_project():
    assert label() == "Labour"
    with with_own(("templates/atelier",)):
        assert label() == "People"
    with with_own(load_run("acme").own_params):
        assert label() == "Pay"
        assert params_in_force()["metrics/more.yml"].parts[-4:-1] == ("templates", "atelier", "metrics")
    with with_own(load_run("other").own_params):
        assert label() == "Labour"
    assert label() == "Labour"


def test_what_a_run_does_not_have_is_the_projects():
    use_own(load_run("acme").own_params)
    assert params_file("assumptions.yml") == shipped_root() / "params" / "assumptions.yml"
    assert Assumptions.load().entries


def test_a_frozen_copy_is_that_of_no_run_and_serves_each(project):
    use_own(load_run("acme").own_params)
    with frozen():
        assert label() == "Labour"
        (project / "params" / "runs" / "acme" / "cost_tree.yml").write_text(TREE.format("Later"), "utf-8")
        with with_own(load_run("acme").own_params):
            assert label() == "Pay"
    assert label() == "Later"


def test_an_unknown_template_is_refused_with_a_suggestion(project):
    (project / "params" / "runs" / "acme.yml").write_text(RUN.format("Acme") + "template: ateliar\n", "utf-8")
    with pytest.raises(ParameterError, match="Did you mean 'atelier'"):
        load_run("acme")


def test_a_study_reads_the_params_of_the_run_it_is_asked_for():
    from types import SimpleNamespace

    from analysis.metrics.study import study

    @study(section="costs")
    def asked(inputs: object) -> str:
        return label()

    of = {
        name: SimpleNamespace(params=load_run(name), engine=SimpleNamespace(require=lambda *_: None))
        for name in ("acme", "other")
    }
    use_own(load_run("other").own_params)
    assert (asked(of["acme"]), asked(of["other"])) == ("Pay", "Labour")
