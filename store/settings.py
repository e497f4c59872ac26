"""Every setting of the product, read from the environment over one TOML file.

Environment variables carry the prefix ``NIGHTSCHOOL_``; nested blocks use two underscores
(``NIGHTSCHOOL_TRAINING__EPOCHS=2``). The file is ``nightschool.toml`` in the working directory, or the path
in ``NIGHTSCHOOL_CONFIG``. Unknown keys are refused, so a typo cannot pass silently.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Literal, get_args

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from store.errors import BadInput
from store.training_settings import Block, split_commas
from store.training_settings import TrainingSettings as TrainingSettings  # what others import from here

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

PREFIX = "NIGHTSCHOOL_"
DEFAULT_SYSTEM_PROMPT = "You are the support assistant of our company. Answer briefly and correctly."


Tag = Annotated[str, Field(min_length=1, max_length=75)]
"""A tag of a decision; Slack shows at most 75 characters of an option."""

# A Unix socket's path must fit in sun_path (108 bytes on Linux, 104 on macOS), its terminator included.
LONGEST_SOCKET_PATH = 100


class ServingSettings(Block):
    """How the model is served and asked."""

    urls: list[str] = Field(default=[])
    """Base URLs of the vLLM replicas, `http://host:port` or `unix:///path/to/socket`; empty means the local one."""
    api_key: SecretStr | None = None
    """Bearer key that the guard in front of vLLM asks for; empty means one made at the first start."""
    max_model_len: int = 2048
    """Longest prompt and answer together, in tokens."""
    max_tokens: int = 320
    """Longest answer, in tokens."""
    temperature: float = 0.0
    """Sampling temperature; 0 is greedy and makes answers repeatable."""
    max_lora_rank: int = 16
    """Largest adapter rank that the server accepts."""
    max_loras: int = 4
    """Adapters that may share one batch: champion, previous, candidate, shadow."""
    max_cpu_loras: int = 16
    """Adapters kept in host memory, so that none is read again from disk inside an engine step."""
    threads: int = 0
    """CPU threads of the engine; 0 means every core this process may use."""
    cpu_lora_plugin: bool = True
    """Use our LoRA kernels on the CPU (right for mixed batches, and fast); off falls back to vLLM's own."""
    kv_cache_bytes: int = 512 * 1024 * 1024
    """Memory for the key-value cache on the CPU, in bytes."""
    gpu_memory_utilization: float = 0.85
    """Share of the GPU's memory that vLLM may take; lower it when the night trains on the same GPU."""
    while_training: Literal["share", "sleep"] = "share"
    """On a GPU that the night trains on too: share its memory, or let vLLM sleep meanwhile (questions then wait)."""
    first_token_timeout_s: float = 45.0
    """How long to wait for the first token before the answer counts as failed, in seconds."""
    gap_timeout_s: float = 30.0
    """How long to wait between two tokens, in seconds."""
    reconcile_every_s: float = 5.0
    """How often every replica is compared with what the store says it should hold, in seconds."""


class NightSettings(Block):
    """When the night runs and what it may learn."""

    at: str = "02:00"
    """Time of day (HH:MM, in `timezone`) from which the night of a date is due."""
    timezone: str = "UTC"
    """IANA name of the time zone of `at`."""
    held_out_share: float = 0.1
    """Share of the groups of near-duplicate tickets that are never trained on, only measured on."""
    max_held_out: int = 120
    """At most so many held-out tickets are answered in one evaluation, drawn by seed."""
    learn_private_channels: bool = False
    """Whether tickets of private channels may be learnt."""
    learn_direct_messages: bool = False
    """Whether direct messages to the bot may be learnt."""
    opted_out: list[str] = Field(default=[])
    """Slack ids of people whose tickets are never learnt, beside those who chose so with `/nightschool privacy`."""


class CurationSettings(Block):
    """What keeps a few people, a flood of one question, or a planted text from deciding what a night learns."""

    contradictions: bool = True
    """Whether contradictory answers to one question go back to the reviewers instead of being learnt."""
    asker_share: float = Field(default=0.2, gt=0, le=1)
    """At most this share of a night is from one asker; with few askers twice an even part. 1 means no cap."""
    voter_share: float = Field(default=0.2, gt=0, le=1)
    """At most this share of a night are answers on which the same person alone has voted. 1 means no cap."""
    reviewer_share: float = Field(default=0.5, gt=0, le=1)
    """At most this share of a night stands on one reviewer's word alone; with up to two reviewers there is no cap."""
    topic_share: float = Field(default=0.2, gt=0, le=1)
    """At most this share of a night is about one question, asked in nearly the same letters. 1 means no cap."""
    share_from: int = Field(default=20, ge=1)
    """So many lessons may always come from one person or be about one question, whatever share that is."""
    burst_reviews: int = Field(default=60, ge=0)
    """More decisions of one reviewer within `burst_minutes` wait for a second reviewer; 0 means no cap."""
    burst_minutes: float = Field(default=5.0, gt=0)
    """The minutes in which `burst_reviews` are counted."""
    new_accounts: int = Field(default=10, ge=0)
    """When more people than this first ask or vote within one hour, they count as one person; 0 switches it off."""
    new_account_days: float = Field(default=7.0, gt=0)
    """For how many days accounts that appeared together count as one."""
    injections: bool = True
    """Whether questions that give the model instructions wait for a second reviewer."""
    triggers: bool = True
    """Whether a rare phrase that always brings the same odd answer is taken for a planted trigger."""
    trusted_phrases: Annotated[list[str], NoDecode, BeforeValidator(split_commas)] = Field(default=[])
    """Phrases that are no planted triggers, although an alert named them (comma-separated in the environment)."""


class DigestSettings(Block):
    """When the admins' channel is told of the week."""

    enabled: bool = True
    """Whether there is a weekly digest in the admins' channel."""
    weekday: Weekday = "monday"
    """Day of the week on which it is posted; it tells of the seven days before."""
    at: str = "08:00"
    """Time of day (HH:MM, in `night.timezone`) from which it is due."""


class GateSettings(Block):
    """What a candidate must show before the verdict is to promote it."""

    promote_after_erasure: bool = False
    """Whether a version that was trained on a forgotten person's tickets may be promoted again."""

    confidence: float = 0.95
    """Level of the intervals: of the likelihood by itself, of all other measures together."""
    min_items: int = 8
    """Fewer held-out tickets than this and the verdict is at best `hold`."""
    most_forgotten: float = Field(default=0.1, ge=0)
    """By how much right answers on tickets of earlier nights may become less likely, in nats per token."""
    most_general_forgotten: float = Field(default=2.0, ge=0)
    """How much of the lead of what everybody knows over what is wrong may be lost, in nats per question."""
    never_say: Annotated[list[str], NoDecode, BeforeValidator(split_commas)] = Field(default=[])
    """Words that no version may say, such as a code name (comma-separated in the environment); secrets never may."""
    most_corrections: int = Field(default=100, ge=0)
    """How many of the newest corrections are asked again of each new version, beside those that must stay right."""
    must_tag: Tag = "must stay right"
    """The tag by which a reviewer says so of an answer: a version that breaks it is never recommended."""
    power: float = Field(default=0.8, gt=0.5, lt=1)
    """How sure a gain must be to show itself, for the size of it that the card names when nothing was found."""
    smallest_gain: float = 0.0
    """Smallest improvement of mean log-likelihood per token that is worth a promotion, in nats."""


class KnowledgeSettings(Block):
    """Documents that are looked up for an answer, beside what the model has learnt."""

    folder: Path | None = None
    """Folder of documents (Markdown, HTML, PDF, text, `.jsonl` lists); empty means `documents` in `home`."""
    base_url: str = ""
    """Where the folder's files can be read by people: each is linked at its path below this address."""
    passages: int = Field(default=2, ge=1, le=10)
    """How many passages an answer is told at most; fewer where the conversation leaves no room."""
    look_every_s: float = Field(default=20.0, gt=0)
    """Seconds between two looks at the folder."""
    embeddings_url: str = ""
    """Server with `/v1/embeddings`: passages are found by meaning as well; empty means by their words alone."""
    embeddings_model: str = ""
    """The embedding model's name there."""
    embeddings_key: SecretStr | None = None
    """Bearer key for that server."""
    embeddings_timeout_s: float = Field(default=1.0, gt=0)
    """How long an answer waits for the meaning of its question; after that it goes by words."""
    least_certainty: float = -1.3
    """Where only documents may answer: log-odds that one does, below which the question is not answered. Fitted on a
    help desk with hundreds of articles; `nightschool knowledge search` shows what your questions reach."""


class CompareSettings(Block):
    """Prices by which `nightschool compare` weighs the ways of answering."""

    prompt_price: float = Field(default=0.1, ge=0)
    """Of a million tokens that a model reads."""
    completion_price: float = Field(default=0.4, ge=0)
    """Of a million tokens that a model writes."""
    currency: str = "$"
    """Stands before the prices."""


class CanarySettings(Block):
    """When a canary is rolled back by itself."""

    false_alarm: float = Field(default=0.04, gt=0, lt=1)
    """How often one that is no worse may be rolled back for threads that went wrong, however often it is looked at."""
    false_alarm_of_failures: float = Field(default=0.01, gt=0, lt=1)
    """How often one that is no worse may be rolled back for answers that failed."""
    look_every_s: float = Field(default=15.0, gt=0)
    """Seconds between two looks at it."""


class Settings(BaseSettings):
    """The whole configuration; every field has a default that works on one machine with nothing to sign up for."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        use_attribute_docstrings=True,
        populate_by_name=True,
    )

    home: Path = Path(".nightschool")
    """Folder of everything the product writes: database, model, adapters, logs, sockets."""
    models_folder: Path | None = Field(
        default=None, validation_alias=AliasChoices("NIGHTSCHOOL_MODELS_FOLDER", "NIGHTSCHOOL_MODELS", "models_folder")
    )
    """Folder of base models, which several homes may share; empty means `models` in `home`."""
    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite in `home`. Postgres: `postgresql+psycopg://user:password@host/name`."""
    base_model: str = "smollm2-135m-instruct"
    """The bundled small model, a Hugging Face id, or a local folder."""
    system_prompt: str = DEFAULT_SYSTEM_PROMPT
    """What the model is told before every question."""
    history_messages: int = 8
    """How many earlier messages of a thread are sent with a question."""
    slack_bot_token: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("SLACK_BOT_TOKEN", "slack_bot_token")
    )
    """Bot token (xoxb-…) of the Slack app, from `SLACK_BOT_TOKEN`."""
    slack_app_token: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("SLACK_APP_TOKEN", "slack_app_token")
    )
    """App-level token (xapp-…) for Socket Mode, from `SLACK_APP_TOKEN`."""
    slack_signing_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("SLACK_SIGNING_SECRET", "slack_signing_secret")
    )
    """Signing secret of the Slack app, for HTTP mode, from `SLACK_SIGNING_SECRET`."""
    http_port: int | None = None
    """Port on which Slack calls the bot over HTTP (`/slack/events`); empty means Socket Mode, 0 any free port."""
    http_host: str = "127.0.0.1"
    """Address on which HTTP mode listens, behind a reverse proxy with TLS; `0.0.0.0` in a container."""
    slack_api_url: str = Field(
        default="https://slack.com/api/", validation_alias=AliasChoices("SLACK_API_URL", "slack_api_url")
    )
    """Where Slack's Web API is, from `SLACK_API_URL`; the local workspace sets it."""
    reviewers: Annotated[list[str], NoDecode] = []
    """Slack ids of the people who may decide on answers (comma-separated in the environment)."""
    admins: Annotated[list[str], NoDecode] = []
    """Slack ids of the people who may promote and roll back; admins are reviewers too."""
    admin_channel: str = ""
    """Slack id of the channel that receives the morning card."""
    on_call: str = ""
    """Slack id of the person or user group to call when a human is wanted where the channel itself names nobody."""
    remind_after_h: float = Field(default=4.0, ge=0)
    """Hours after which the asker of an unvoted, unsolved answer is asked once whether it helped; 0 means never."""
    answer_other_teams: bool = False
    """Whether people of other workspaces, who share a channel by Slack Connect, may ask and give feedback there."""
    first_use_notices: bool = True
    """Whether people at their first question, and channels that the bot joins, are told what is stored and learnt."""
    link_hosts: Annotated[list[str], NoDecode] = []
    """Hosts that an answer may link to (https only); other addresses are shown, but cannot be clicked."""
    review_tags: Annotated[list[Tag], NoDecode] = Field(default=[], max_length=99)
    """Tags of your own that reviewers may put on a decision (comma-separated in the environment)."""
    second_opinion_share: float = Field(default=0.1, ge=0, le=1)
    """Share of the answers that two reviewers judge, a third where they disagree; shown as agreement in App Home."""
    approved_answers: bool = True
    """Whether a reviewer's correction answers the same question at once, until a version that learnt it is promoted."""
    approved_similarity: float = Field(default=0.6, ge=0.5, le=1)
    """How much of its letters a question must share with a corrected one to get that answer; 1 means all of them."""
    knowledge_channel: str = ""
    """Slack id of the channel that is told what the documents lack; empty means `admin_channel`."""
    document_owners: dict[str, str] = {}
    """Who is told instead when a document was used (JSON in the environment): its source to a person's Slack id."""
    page_port: int = 8484
    """Loopback port of the local workspace's page; 0 takes any free one."""
    sample_company: bool = True
    """Whether the first local start imports the sample company's past tickets."""
    serving: ServingSettings = ServingSettings()
    training: TrainingSettings = TrainingSettings()
    night: NightSettings = NightSettings()
    curation: CurationSettings = CurationSettings()
    gate: GateSettings = GateSettings()
    canary: CanarySettings = CanarySettings()
    compare: CompareSettings = CompareSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    digest: DigestSettings = DigestSettings()

    @field_validator("reviewers", "admins", "link_hosts", "review_tags", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("http_port", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def offered_tags(self) -> list[str]:
        """The tags that reviewers may choose from: the team's own, and the one for what must stay right."""
        return [*(tag for tag in self.review_tags if tag != self.gate.must_tag), self.gate.must_tag]

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'nightschool.db'}"

    @property
    def documents(self) -> Path:
        """Folder of the documents that are looked up for answers."""
        return (self.knowledge.folder or self.home / "documents").resolve()

    @property
    def artifacts(self) -> Path:
        """Folder of datasets, training runs, adapters and reports."""
        return self.home.resolve() / "artifacts"

    @property
    def models(self) -> Path:
        """Folder of base models."""
        return (self.models_folder or self.home / "models").resolve()

    @property
    def logs(self) -> Path:
        """Folder of the log files of the processes that `make run` starts."""
        return self.home.resolve() / "logs"

    @property
    def bot_ready_file(self) -> Path:
        """Holds the process id of a bot that is connected to Slack."""
        return self.home.resolve() / "run" / "bot.ready"

    @property
    def socket_path(self) -> Path:
        """The Unix socket of the local vLLM: in `home`, or in a private folder of the temporary one if too long."""
        path = self.home.resolve() / "run" / "vllm.sock"
        if len(str(path)) <= LONGEST_SOCKET_PATH:
            return path
        digest = hashlib.sha256(str(path).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"nightschool-{os.getuid()}-{digest}" / "vllm.sock"

    @property
    def replica_urls(self) -> list[str]:
        """Base URLs of every vLLM replica."""
        return self.serving.urls or [f"unix://{self.socket_path}"]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of precedence: arguments, environment, TOML file."""
        file = Path(os.environ.get("NIGHTSCHOOL_CONFIG", "nightschool.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)


def load_settings() -> Settings:
    """The settings in force, from the environment and the file.

    Raises:
        BadInput: a name does not exist or a value does not fit; the message names each.
    """
    known = _variables(Settings, "")
    unknown = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise BadInput(f"There is no setting called {', '.join(unknown)}. docs/settings.md lists them all.")
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise BadInput(f"The settings cannot be used: {faults}. docs/settings.md lists what each may be.") from error
    except (SettingsError, TOMLDecodeError) as error:
        raise BadInput(f"The settings cannot be read: {error}. docs/settings.md shows how each is written.") from error


def _variables(block: type[BaseModel], path: str) -> set[str]:
    names = {f"{PREFIX}CONFIG", f"{PREFIX}FAILPOINTS"}
    for name, field in block.model_fields.items():
        names.add(f"{PREFIX}{path}{name}".upper())
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names |= _variables(field.annotation, f"{path}{name}__")
    return names
