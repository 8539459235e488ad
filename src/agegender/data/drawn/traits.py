"""What a drawn person looks like, sampled from age and gender: every cue has a chance, none is certain."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from agegender.data.drawn.anatomy import Shape, sample_shape
from agegender.data.drawn.canvas import Array
from agegender.data.drawn.palette import CLOTHES, FRAMES, HAIR, IRISES, LIPSTICKS, hair_colour, skin_colour
from agegender.errors import SettingError
from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS, Gender, Race


class HairStyle(enum.StrEnum):
    """How the hair is worn."""

    FUZZ = "fuzz"
    BUZZ = "buzz"
    SHORT = "short"
    PARTED = "parted"
    CURLY = "curly"
    AFRO = "afro"
    BOB = "bob"
    LONG = "long"
    WAVY = "wavy"
    TIED = "tied"


class BeardStyle(enum.StrEnum):
    """How the beard is worn."""

    NONE = "none"
    STUBBLE = "stubble"
    MOUSTACHE = "moustache"
    GOATEE = "goatee"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Skin:
    """Skin: `colour` sRGB (3,), everything else a strength of about 0..1."""

    colour: Array
    blush: float
    freckles: float
    spots: float
    mottling: float
    forehead_lines: float
    crows_feet: float
    folds: float
    eye_bags: float
    sagging: float


@dataclass(frozen=True, slots=True)
class Hair:
    """Hair: `colour` sRGB (3,), lengths in face units, the rest strengths of 0..1."""

    style: HairStyle
    colour: Array
    brow_colour: Array
    beard_colour: Array
    recession: float
    volume: float
    part: float
    fringe: bool
    density: float
    brow_thickness: float
    beard: BeardStyle


@dataclass(frozen=True, slots=True)
class Expression:
    """Mouth, gaze and make-up: `smile` -0.4..1, `mouth_open` 0..1, gaze in iris radii."""

    smile: float
    mouth_open: float
    gaze: tuple[float, float]
    lashes: float
    lip_colour: Array
    iris_colour: Array


@dataclass(frozen=True, slots=True)
class Wear:
    """What is worn; None where it is not."""

    clothes: Array
    collar: bool
    glasses: Array | None
    round_glasses: bool
    earrings: Array | None
    bow: Array | None


@dataclass(frozen=True, slots=True)
class Traits:
    """One drawn person. `apparent_age` is the age that the face shows: the true one plus what differs in people."""

    age: int
    gender: Gender
    race: Race
    apparent_age: float
    shape: Shape
    skin: Skin
    hair: Hair
    expression: Expression
    wear: Wear


_RACE_SHARES = {Race.WHITE: 0.42, Race.BLACK: 0.19, Race.ASIAN: 0.15, Race.INDIAN: 0.17, Race.OTHERS: 0.07}
_MELANIN = {Race.WHITE: 0.16, Race.BLACK: 0.8, Race.ASIAN: 0.26, Race.INDIAN: 0.53, Race.OTHERS: 0.38}
_HAIR_SHARES = {  # black, dark brown, brown, light brown, blond, red
    Race.WHITE: (0.1, 0.25, 0.25, 0.17, 0.16, 0.07),
    Race.BLACK: (0.75, 0.2, 0.05, 0.0, 0.0, 0.0),
    Race.ASIAN: (0.72, 0.22, 0.06, 0.0, 0.0, 0.0),
    Race.INDIAN: (0.7, 0.25, 0.05, 0.0, 0.0, 0.0),
    Race.OTHERS: (0.4, 0.35, 0.18, 0.05, 0.02, 0.0),
}


def sample_traits(age: int, gender: Gender, rng: np.random.Generator, race: Race | None = None) -> Traits:
    """A person of an age and a gender; everything else is drawn from `rng`.

    Args:
        age: True age in years, 0..116.
        gender: Leans each cue (jaw, brows, lips, hair, beard, jewellery) by a chance that grows until adulthood.
        rng: Source of chance; the same state gives the same person.
        race: The group whose skin and hair colours to draw from; None draws one, too.

    Raises:
        SettingError: The age lies outside 0..116.
    """
    if not AGE_MIN_YEARS <= age <= AGE_MAX_YEARS:
        raise SettingError(f"A face can be drawn for an age of {AGE_MIN_YEARS}..{AGE_MAX_YEARS} years. Received: {age}")
    if race is None:
        race = tuple(_RACE_SHARES)[rng.choice(len(_RACE_SHARES), p=list(_RACE_SHARES.values()))]
    # Nobody looks exactly as old as they are: this is what keeps the age error of a perfect model above zero.
    apparent = float(np.clip(age + 0.5 + rng.normal(0.0, 0.4 + 0.028 * age), 0.0, 105.0))
    strength = float(np.interp(age, (0, 4, 12, 18), (0.55, 0.6, 0.85, 1.3)))
    sign = 1.0 if gender is Gender.MALE else -1.0

    def lean() -> float:
        return sign * strength + 0.75 * float(rng.standard_normal())

    shape = sample_shape(apparent, lean(), lean(), rng)
    skin = _sample_skin(apparent, race, rng)
    return Traits(
        age=age,
        gender=gender,
        race=race,
        apparent_age=apparent,
        shape=shape,
        skin=skin,
        hair=_sample_hair(apparent, gender, race, lean(), rng),
        expression=_sample_expression(apparent, gender, race, lean=lean(), skin=skin, rng=rng),
        wear=_sample_wear(apparent, gender, rng),
    )


def _sample_skin(apparent: float, race: Race, rng: np.random.Generator) -> Skin:
    melanin = float(np.clip(_MELANIN[race] + rng.normal(0.0, 0.085), 0.0, 1.0))
    wrinkles = float(np.interp(apparent, (0, 20, 28, 38, 50, 62, 76, 92), (0, 0.03, 0.16, 0.34, 0.54, 0.73, 0.92, 1.1)))

    def worn() -> float:
        return wrinkles * float(np.exp(rng.normal(0.0, 0.14)))

    return Skin(
        colour=skin_colour(melanin, apparent, rng),
        blush=float(rng.uniform(0.3, 1.0) * np.interp(apparent, (0, 8, 20, 60), (1.0, 0.8, 0.45, 0.35))),
        freckles=float(rng.uniform(0.4, 1.0)) if melanin < 0.3 and 4 < apparent < 45 and rng.random() < 0.12 else 0.0,
        spots=float(np.interp(apparent, (40, 60, 80, 100), (0, 0.3, 0.85, 1.2)) * rng.uniform(0.5, 1.3)),
        mottling=float(np.interp(apparent, (0, 20, 50, 90), (0.15, 0.3, 0.6, 1.0)) * rng.uniform(0.7, 1.2)),
        forehead_lines=worn(),
        crows_feet=worn(),
        folds=worn(),
        eye_bags=worn() * float(rng.uniform(0.8, 1.25)),
        sagging=float(np.interp(apparent, (35, 55, 75, 95), (0, 0.3, 0.75, 1.1)) * rng.uniform(0.8, 1.2)),
    )


def _pick(shares: dict[HairStyle, float], rng: np.random.Generator) -> HairStyle:
    weights = np.array(list(shares.values()))
    return tuple(shares)[rng.choice(len(weights), p=weights / weights.sum())]


def _style_shares(apparent: float, gender: Gender, race: Race) -> dict[HairStyle, float]:
    curls = 4.0 if race is Race.BLACK else 1.0
    male = gender is Gender.MALE
    if apparent < 2.5:
        share = float(np.interp(apparent, (0, 2.5), (0.85, 0.25)))
        styles = {HairStyle.SHORT: 0.6, HairStyle.CURLY: 0.15, HairStyle.BOB: 0.04, HairStyle.PARTED: 0.2}
        if not male:
            styles = {HairStyle.SHORT: 0.22, HairStyle.CURLY: 0.15, HairStyle.BOB: 0.5, HairStyle.TIED: 0.3}
            share -= 0.2
        return {HairStyle.FUZZ: share} | {name: (1 - share) * part for name, part in styles.items()}
    if male:
        return {
            HairStyle.BUZZ: 0.2 * curls**0.5, HairStyle.SHORT: 0.38, HairStyle.PARTED: 0.26,
            HairStyle.CURLY: 0.1 * curls**0.5, HairStyle.AFRO: 0.01 * curls, HairStyle.BOB: 0.03,
            HairStyle.LONG: 0.025, HairStyle.TIED: 0.015,
        }  # fmt: skip
    late = float(np.interp(apparent, (45, 75), (0, 1)))
    return {
        HairStyle.SHORT: 0.04 + 0.12 * late, HairStyle.PARTED: 0.03 + 0.05 * late,
        HairStyle.CURLY: 0.03 * curls + 0.2 * late, HairStyle.AFRO: 0.012 * curls, HairStyle.BOB: 0.24 + 0.1 * late,
        HairStyle.LONG: 0.32 - 0.24 * late, HairStyle.WAVY: 0.22 - 0.1 * late, HairStyle.TIED: 0.14 + 0.04 * late,
    }  # fmt: skip


def _sample_beard(apparent: float, gender: Gender, rng: np.random.Generator) -> BeardStyle:
    chance = rng.random()
    if gender is not Gender.MALE or rng.random() > np.interp(apparent, (14.5, 19), (0, 1)):
        return BeardStyle.NONE
    for style, bound in ((BeardStyle.STUBBLE, 0.3), (BeardStyle.MOUSTACHE, 0.38), (BeardStyle.GOATEE, 0.47),
                         (BeardStyle.FULL, 0.64)):  # fmt: skip
        if chance < bound:
            return style
    return BeardStyle.NONE


def _sample_hair(apparent: float, gender: Gender, race: Race, lean: float, rng: np.random.Generator) -> Hair:
    male = gender is Gender.MALE
    style = _pick(_style_shares(apparent, gender, race), rng)
    natural = HAIR[rng.choice(len(HAIR), p=_HAIR_SHARES[race])]
    grey = 1.0 / (1.0 + np.exp(-(apparent - rng.normal(52.0, 5.5)) / 5.5))
    dyed = apparent > 35 and rng.random() < (0.07 if male else 0.3)
    onset, tendency = rng.normal(36.0, 9.0), rng.beta(1.6, 1.3)
    recession = float(np.clip((apparent - onset) / 38.0, 0.0, 1.0) * tendency) if male else 0.0
    if recession > 0.3 and style in (HairStyle.AFRO, HairStyle.TIED):
        style = HairStyle.BUZZ
    thinning = float(np.interp(apparent, (45, 90), (0.0, 0.25 if male else 0.3)) * rng.uniform(0.6, 1.2))
    baby = float(np.interp(apparent, (0, 2.5), (1, 0)))
    thickness = float(np.interp(apparent, (0, 3, 14, 20, 60, 90), (0.45, 0.62, 0.85, 1.0, 0.95, 0.8)))
    return Hair(
        style=style,
        colour=hair_colour(natural, grey * (0.2 if dyed else 1.0), rng),
        brow_colour=hair_colour(natural * 0.85, grey * 0.6, rng),
        beard_colour=hair_colour(natural * 0.9, min(1.0, grey * 1.25), rng),
        recession=recession,
        volume=float(rng.uniform(0.06, 0.15) * (0.75 if male else 1.1) * (1 - 0.5 * baby) * (1 - thinning)),
        part=float(rng.uniform(-0.45, 0.45)),
        fringe=bool(rng.random() < (0.12 if male else 0.3) * (1.6 if apparent < 14 else 1.0) and recession < 0.1),
        density=float((1 - thinning) * (1 - 0.45 * baby)),
        brow_thickness=thickness * float(np.clip(1.0 + 0.24 * lean, 0.45, 1.7)),
        beard=_sample_beard(apparent, gender, rng),
    )


def _sample_expression(
    apparent: float, gender: Gender, race: Race, *, lean: float, skin: Skin, rng: np.random.Generator
) -> Expression:
    smile = float(np.clip(rng.normal(0.45, 0.38), -0.3, 1.0))
    natural = skin.colour * np.array([0.86, 0.62, 0.6], np.float32)
    faded = float(np.interp(apparent, (40, 85), (0.85, 0.4)))
    lip_colour = skin.colour + (natural - skin.colour) * faded
    if gender is Gender.FEMALE and rng.random() < np.interp(apparent, (12, 20), (0, 0.6)):
        stick = LIPSTICKS[rng.integers(len(LIPSTICKS))]
        lip_colour = lip_colour + (stick * (0.5 + 0.5 * skin.colour[0] / 255) - lip_colour) * rng.uniform(0.5, 0.95)
    dark_eyed = 0.25 if race is Race.WHITE else 0.97
    iris = IRISES[0] if rng.random() < dark_eyed else IRISES[rng.integers(1, len(IRISES))]
    return Expression(
        smile=smile,
        mouth_open=float(np.clip(rng.normal(0.5, 0.25), 0.15, 1.0)) if smile > 0.3 and rng.random() < 0.45 else 0.0,
        gaze=(float(rng.normal(0, 0.16)), float(rng.normal(0, 0.08))),
        lashes=float(np.clip(0.5 - 0.27 * lean, 0.05, 1.2) * np.interp(apparent, (0, 14, 60, 90), (0.8, 1, 0.9, 0.5))),
        lip_colour=np.asarray(lip_colour, np.float32),
        iris_colour=iris * float(rng.uniform(0.85, 1.15)),
    )


def _sample_wear(apparent: float, gender: Gender, rng: np.random.Generator) -> Wear:
    female = gender is Gender.FEMALE
    with_glasses = np.interp(apparent, (3, 8, 20, 40, 50, 70, 100), (0, 0.05, 0.12, 0.15, 0.3, 0.45, 0.5))
    with_earrings = np.interp(apparent, (1, 6, 18), (0.04, 0.2, 0.45)) if female else 0.04 * (apparent > 16)
    with_bow = np.interp(apparent, (0, 6, 14), (0.38, 0.3, 0)) if female else 0.0
    gold = np.array([226, 188, 96], np.float32) if rng.random() < 0.6 else np.array([222, 224, 230], np.float32)
    return Wear(
        clothes=CLOTHES[rng.integers(len(CLOTHES))] * float(rng.uniform(0.7, 1.15)),
        collar=bool(rng.random() < np.interp(apparent, (4, 20), (0.1, 0.3 if female else 0.6))),
        glasses=FRAMES[rng.integers(len(FRAMES))] if rng.random() < with_glasses else None,
        round_glasses=bool(rng.random() < 0.45),
        earrings=gold if rng.random() < with_earrings else None,
        bow=CLOTHES[rng.integers(len(CLOTHES))] if rng.random() < with_bow else None,
    )
