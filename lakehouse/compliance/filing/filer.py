"""Who files: the casino, its contact and its transmitter's credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from lakehouse.errors import BadInput

ORGANIZATION_SUBTYPES = {
    "state_casino": 101,
    "tribal_casino": 102,
    "card_club": 103,
}


def _line_of_text(value: str) -> str:
    """XML has no place for control characters, and a form none for a blank name."""
    if not value.strip() or not value.isprintable():
        raise ValueError("a line of text, without control characters")
    return value


Line = Annotated[str, AfterValidator(_line_of_text)]


class FilerSettings(BaseModel):
    """The filing institution. The defaults belong to nobody: a batch made with any of those
    that identify the filer is a test, and is refused as production."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = Field(default="Example Casino (fictitious)", min_length=1, max_length=150)
    tin: str = Field(default="000000000", pattern=r"^\d{9}$")
    """Employer identification number, nine digits."""
    transmitter_control_code: str = Field(default="TBSATEST", pattern=r"^[A-Z0-9]{8}$")
    """Given by FinCEN; TBSATEST is its code for tests."""
    street: Line = Field(default="1 Example Way", min_length=1, max_length=100)
    city: Line = Field(default="Exampleville", min_length=1, max_length=50)
    state: str = Field(default="NV", pattern=r"^[A-Z]{2}$")
    zip_code: str = Field(default="00000", pattern=r"^\d{5}(\d{4})?$")
    phone: str = Field(default="7755550100", pattern=r"^\d{10}$")
    contact_office: Line = Field(default="BSA Compliance Office", min_length=1, max_length=150)
    transmitter_contact: Line = Field(default="Title 31 Desk", min_length=1, max_length=150)
    organization: Literal["state_casino", "tribal_casino", "card_club"] = "state_casino"
    schemas: Path | None = None
    """Folder with FinCEN's XML schemas; every batch is held to them where it is named."""

    @field_validator("schemas", mode="before")
    @classmethod
    def _is_there(cls, value: object) -> object:
        if value is not None and not _is_folder(str(value)):
            raise ValueError("is no folder; name the one that holds FinCEN's schemas")
        return value


def _is_folder(path: str) -> bool:
    try:
        return bool(path.strip()) and Path(path).is_dir()
    except OSError:
        return False


IDENTIFYING = ("name", "tin", "transmitter_control_code", "street", "city", "zip_code", "phone")


def fictitious_fields(filer: FilerSettings) -> list[str]:
    """The identifying fields that still hold their fictitious default."""
    defaults = FilerSettings()
    return [f for f in IDENTIFYING if getattr(filer, f) == getattr(defaults, f)]


def require_real(filer: FilerSettings) -> None:
    """Raises BadInput while the filer is not a real one."""
    if left := fictitious_fields(filer):
        raise BadInput(
            "a production batch needs the real filer: set "
            + ", ".join(f"LAKEHOUSE_FILER__{f.upper()}" for f in left)
            + " (or leave out --production)"
        )
