"""The configuration: one frozen object, read once at the entry point.

Sources, in rising order of precedence: defaults, ``callsieve.toml``,
environment variables ``CALLSIEVE_<SECTION>__<NAME>``. What a function needs it
gets as a part of this object; nothing else reads files or the environment.
Settings that only scoring knows are part of it as well, so that one file
configures one operator.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from cdr.errors import SettingsError
from cdr.object_store import SCHEME, ObjectStoreSettings
from cdr.privacy.periods import RetentionSettings
from cdr.residency import ResidencySettings
from cdr.scoring_settings import CostSettings, RulesSettings, ScoringSettings
from cdr.sources import Section, SourceSettings, known_zone

__all__ = ["Settings", "SourceSettings", "load_settings"]


class StoreSettings(Section):
    """Limits of the engines."""

    memory_limit_mb: int = Field(
        default=2048, ge=256, description="Memory DuckDB may use, in MB; beyond it, it spills."
    )
    threads: int = Field(default=2, ge=1, description="Threads DuckDB and scoring may use.")
    spill_limit_mb: int = Field(
        default=50_000, ge=0, description="Disk a session may spill to, in MB."
    )
    query_s: int = Field(default=300, ge=1, description="Seconds a statement of a person may take.")
    query_rows: int = Field(
        default=1_000_000, ge=1, description="Rows that a statement of a person gives at most."
    )
    block_mb: int = Field(
        default=28, ge=1, le=1024, description="Input read at a time while taking in, in MB."
    )


class BillingSettings(Section):
    """How calls are billed: periods, decks, rules, rounding and what a statement shows."""

    zone: str = Field(
        default="UTC", description="IANA zone in which billing periods and rates begin and end."
    )
    currency: str = Field(
        default="EUR",
        pattern=r"^[A-Z]{3}$",
        description="ISO 4217 code for rows of a rate deck that name none.",
    )
    decimals: int = Field(
        default=4,
        ge=0,
        le=6,
        description="Decimals of a line's amount: the one point at which money is rounded.",
    )
    rounding: Literal["half_up", "half_even", "up", "down"] = Field(
        default="half_up", description="What becomes of what lies between two amounts."
    )
    rules: str = Field(
        default="standard",
        description="Who pays for which leg: `standard`, or a CSV file with rules of your own.",
    )
    default_deck: str = Field(
        default="retail", description="Rate deck of accounts whose plan is not in `plan_decks`."
    )
    plan_decks: dict[str, str] = Field(default={}, description="Rate deck of each plan.")
    cost_deck: str = Field(
        default="",
        description="Rate deck of what calls cost the operator; empty: costs are not worked out.",
    )
    operator: str = Field(default="", description="Who sends statements: the name on them.")
    country: str = Field(
        default="",
        pattern=r"^([A-Z]{2})?$",
        description="ISO 3166-1 alpha-2 code of the country whose law says how statements mask "
        "numbers; empty or not known: stricter than any that is known.",
    )
    whole_numbers: tuple[str, ...] = Field(
        default=(),
        description="Accounts whose customer asked for whole numbers on the statement.",
    )

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, zone: str) -> str:
        return known_zone(zone)


class AccessSettings(Section):
    """Who may see what, and where the keys of pseudonyms lie."""

    keys: Path | None = Field(
        default=None,
        description="Folder of the keys that pseudonyms are made with, never within the home; "
        "empty: a folder beside the home, with `-keys` after its name.",
    )

    reveal: tuple[str, ...] = Field(
        default=(),
        description="Who may see raw values in place of pseudonyms, giving a reason: names of "
        "users of this machine, or `@group`. The owner of the home may in any case.",
    )
    billing: tuple[str, ...] = Field(
        default=("*",), description="Who may query for billing; `*` is everybody who can."
    )
    fraud: tuple[str, ...] = Field(default=("*",), description="Who may query against fraud.")
    security: tuple[str, ...] = Field(default=("*",), description="Who may query for security.")
    rights: tuple[str, ...] = Field(
        default=(), description="Who may query to answer persons: the data protection officer."
    )

    @field_validator("keys", mode="before")
    @classmethod
    def _empty_is_beside_the_home(cls, keys: object) -> object:
        return keys or None


class RightsSettings(Section):
    """How requests of persons are answered."""

    other_numbers: Literal["whole", "shortened", "left_out"] = Field(
        default="shortened",
        description="Other people's numbers in what a person takes along: `shortened` hides as "
        "many digits as a statement does.",
    )


class ReviewSettings(Section):
    """The review queue."""

    webhook_url: str = Field(
        default="",
        pattern=r"^(https?://.*)?$",
        description="Where decisions are sent; without it, `callsieve review decisions` has them.",
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description=(
            "Signs what is sent; best given as CALLSIEVE_REVIEW__WEBHOOK_SECRET, not in a file."
        ),
    )


class Settings(BaseSettings):
    """The whole configuration; frozen, so that it can be passed down and trusted."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="CALLSIEVE_", env_nested_delimiter="__"
    )

    home: Path = Field(
        default=Path(".callsieve"),
        description=(
            "Folder that holds the lake, models, the queue's database and reports; or "
            "`s3://bucket/prefix`, which is the same as `address` of `object_store`."
        ),
    )
    sources: dict[str, SourceSettings] = Field(default={}, description="The switches, by name.")
    store: StoreSettings = StoreSettings()
    object_store: ObjectStoreSettings = ObjectStoreSettings()
    residency: ResidencySettings = ResidencySettings()
    cost: CostSettings = CostSettings()
    scoring: ScoringSettings = ScoringSettings()
    rules: RulesSettings = RulesSettings()
    billing: BillingSettings = BillingSettings()
    review: ReviewSettings = ReviewSettings()
    access: AccessSettings = AccessSettings()
    retention: RetentionSettings = RetentionSettings()
    rights: RightsSettings = RightsSettings()

    @property
    def keys_folder(self) -> Path:
        """Folder of the keys that pseudonyms are made with."""
        if self.access.keys is not None:
            return self.access.keys
        home = self.home.resolve()
        return home.with_name(f"{home.name}-keys")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which comes in as arguments."""
        return (env_settings, init_settings)

    @model_validator(mode="before")
    @classmethod
    def _home_may_be_an_address(cls, values: dict[str, Any]) -> dict[str, Any]:
        home = values.get("home")
        if not isinstance(home, str) or not home.startswith(SCHEME):
            return values
        of_store = values.get("object_store", {})
        return {name: value for name, value in values.items() if name != "home"} | {
            "object_store": {**of_store, "address": home}
        }


def load_settings(file: Path | str | None = None, *, home: Path | str | None = None) -> Settings:
    """Read ``file`` and the environment into a validated, frozen :class:`Settings`.

    Parameters
    ----------
    file : Path or str, optional
        A ``callsieve.toml``. None reads ``callsieve.toml`` in the current folder
        where there is one, and otherwise takes the defaults.
    home : Path or str, optional
        Wins over file and environment; it is what ``--home`` passes. A folder, or the
        ``s3://bucket/prefix`` of the lake: then the folder is what they say.

    Raises
    ------
    SettingsError
        With every fault found, so that one run shows them all.
    """
    file, given = (Path("callsieve.toml"), False) if file is None else (Path(file), True)
    content: dict[str, object] = {}
    if given or file.exists():
        content = _toml(file)
    try:
        settings = Settings(**content)  # type: ignore[arg-type]
        if home is not None:
            settings = settings.model_copy(update=_placed(str(home), settings))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        wrong = [f"{'.'.join(map(str, f['loc']))}: {in_words(f['msg'])}" for f in faults]
        raise SettingsError(file.name, wrong) from None
    return settings


def _placed(home: str, settings: Settings) -> dict[str, object]:
    """Say which settings a home given on the command line changes."""
    if not home.startswith(SCHEME):
        return {"home": Path(home)}
    of_store = settings.object_store.model_dump() | {"address": home}
    return {"object_store": ObjectStoreSettings.model_validate(of_store)}


def _toml(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            file.name, ["there is no such file; `callsieve init` writes one"]
        ) from None
    except PermissionError:
        raise SettingsError(file.name, ["no permission to read it"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(file.name, [f"cannot be read: {type(error).__name__}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(file.name, [f"is not TOML: {error}"]) from None


_SAID = {
    "Extra inputs are not permitted": "not a setting",
    "Field required": "is missing",
    "String should match pattern '^[A-Z]{2}$'": "two capital letters (ISO 3166-1), such as DE",
    "String should match pattern '^[A-Z]{3}$'": "three capital letters (ISO 4217), such as EUR",
}


def in_words(message: str) -> str:
    """Say what pydantic found wrong as an operator would."""
    return _SAID.get(message, message.removeprefix("Value error, "))
