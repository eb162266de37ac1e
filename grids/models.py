"""Every model, imported once: what the migrations are compared with."""

from __future__ import annotations

from grids import (
    accounts,
    audit,
    basemap,
    buildings,
    cells,
    certificates,
    city,
    codes,
    components,
    counts,
    divisions,
    enterprises,
    feed,
    limits,
    people,
    requests,
)
from grids.addressing import models as addressing_models
from grids.base_numbers import models as base_number_models
from grids.channels import letter_models, link_models
from grids.channels import models as channel_models
from grids.conversion import models as conversion_models
from grids.db import Base
from grids.desk import models as desk_models
from grids.disputes import models as dispute_models
from grids.exports import models as export_models
from grids.facts import models as fact_models
from grids.hazards import models as hazard_models
from grids.importing.batches import models as import_models
from grids.incidents import models as incident_models
from grids.incidents.held import models as held_models
from grids.incidents.sampling import models as sampling_models
from grids.key_population import models as key_population_models
from grids.ledgers import models as ledger_models
from grids.libraries import models as library_models
from grids.matching import models as matching_models
from grids.outbox import models as outbox_models
from grids.outbox import writing as outbox_writing
from grids.pipes import models as pipe_models
from grids.quality import models as quality_models
from grids.registers import changes as register_changes
from grids.regrid import models as regrid_models
from grids.reminders import models as reminder_models
from grids.responsibility import arbitration_models
from grids.responsibility import models as responsibility_models
from grids.secrets import runs as key_runs
from grids.signals import models as signal_models
from grids.sites import models as site_models
from grids.watch import models as watch_models

__all__ = [
    "Base",
    "accounts",
    "addressing_models",
    "arbitration_models",
    "audit",
    "base_number_models",
    "basemap",
    "buildings",
    "cells",
    "certificates",
    "channel_models",
    "city",
    "codes",
    "components",
    "conversion_models",
    "counts",
    "desk_models",
    "dispute_models",
    "divisions",
    "enterprises",
    "export_models",
    "fact_models",
    "feed",
    "hazard_models",
    "held_models",
    "import_models",
    "incident_models",
    "key_population_models",
    "key_runs",
    "ledger_models",
    "letter_models",
    "library_models",
    "limits",
    "link_models",
    "matching_models",
    "outbox_models",
    "outbox_writing",
    "people",
    "pipe_models",
    "quality_models",
    "register_changes",
    "regrid_models",
    "reminder_models",
    "requests",
    "responsibility_models",
    "sampling_models",
    "signal_models",
    "site_models",
    "watch_models",
]
