"""The pytest door: a matrix file is a test file, a cell is a test, and a run leaves a folder with all that happened.

This module holds pytest's hooks and nothing else; each says in one line where its work is done. Nothing heavy is
imported here, for pytest loads this module for every project that it is installed beside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.plugin import exchange, hookspecs, nodes, own_tests, planning, reading, settings, start

pytest.register_assert_rewrite("harness.scenarios")  # before anything imports them: their asserts explain themselves

pytest_plugins = ["harness.plugin.fixtures", "harness.plugin.recording"]


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Offer ``pytest_wincompat_scenarios``."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and ini keys."""
    settings.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the options, and register scenario names as markers."""
    config.stash[settings.settings_key] = settings.read_settings(config)
    config.stash[reading.scenarios_key] = scenarios = reading.gather_scenarios(config)
    for name, scenario in scenarios.items():
        story = (scenario.__doc__ or "a scenario of this project").strip().splitlines()[0]
        config.addinivalue_line("markers", f"{name}: {story}")
    config.addinivalue_line(
        "markers", "matrix(path, scenario=NAME): run this test for each build and product of a matrix"
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the lab that this run started, and take away what passed between the processes."""
    if (begun := config.stash.get(start.start_key, None)) is not None:
        begun.end()
        del config.stash[start.start_key]
    if exchange.exchange_key in config.stash and not exchange.is_worker(config):
        config.stash[exchange.exchange_key].remove()
        del config.stash[exchange.exchange_key]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Answer an author's mistakes in one line before anything is collected."""
    if not exchange.is_worker(session.config):
        reading.check_what_is_asked_for(session.config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect TOML files that are named, or that lie in a folder named ``matrices``."""
    named = parent.session.isinitpath(file_path) or file_path.parent.name == reading.FOLDER
    if reading.may_be_matrix(file_path) and named:
        return nodes.MatrixFile.from_parent(parent, path=file_path)
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a team's own test for each cell of the matrix that it names."""
    own_tests.parametrize(metafunc)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Make cells of a team's own tests."""
    own_tests.adopt(item)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the options do not name."""
    planning.deselect(config, items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Name the cells; a worker tells them to the controller, which begins the run."""
    # first: xdist's own hook tells the controller to go and read what is written here
    config, items = session.config, session.items
    planning.name_cells(items)
    if not any(map(planning.is_cell, items)) or reading.only_looks(config):
        return
    told = exchange.exchange_of(config)
    told.plan(exchange.worker_of(config), planning.planned(items), planning.matrices_of(items))
    if exchange.is_worker(config):
        planning.spread(items)
    else:
        _begin(config, "")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where the processes meet."""
    node.workerinput[exchange.WORKER_INPUT] = str(exchange.exchange_of(node.config).folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """Begin the run when the first worker has told its cells; the others have the same ones."""
    _begin(node.config, node.gateway.id)


def _begin(config: pytest.Config, worker: str) -> None:
    cells, matrices = exchange.exchange_of(config).planned(worker)
    if cells and start.start_key not in config.stash:
        config.stash[start.start_key] = begun = start.Start(config)
        begun.begin(cells, matrices)
