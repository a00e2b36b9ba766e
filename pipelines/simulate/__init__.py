"""Labelled synthetic traffic: the files of a believable operator, with known fraud.

Only the names below are for use elsewhere. The modules go from the world
(``places``, ``numbers``, ``destinations``, ``hours``) over people (``profiles``,
``frauds``, ``population``, ``identities``, ``streams``) and their calls
(``traffic``) to what is written (``switch_*``, ``call_files``,
``operator_files``, ``settings_file``, ``truth``). ``docs/simulator.md`` says what
each pattern rests on. Nothing here is used by the store or by scoring.
"""

from pipelines.simulate.run import SimulationReport, simulate

__all__ = ["SimulationReport", "simulate"]
