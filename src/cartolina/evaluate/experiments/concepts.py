"""Concepts and tags told from captions: MIRFlickr's protocols on photos that carry no such annotations.

MIRFlickr-25K has 24 concepts, marked by people wherever a concept is seen at all (weak), 14 of them marked
again where it is what the photo shows (strong, with `_r1`). Here the captions of a photo are shared out, so
that what is asked and what is judged come from different people: the first two are its text and give its
*tags* (their content words), the others stand for the annotators. A concept is weak where one of those
names it and strong where more than half of them do. The words are listed below; "people" takes those of
"male", "female" and "baby" too, as MIRFlickr's annotators did.

The concepts are MIRFlickr's but for three that Flickr8k's captions hardly name (clouds, night and sunset, of
which 27, 70 and 39 of 7,000 photos speak): snow, sport and beach stand in their places, among the strong ones
beach for flower too.

>>> labels_of(["A dog runs on grass.", "A brown dog.", "An animal outside."])
('animals', 'dog', 'plant_life', 'dog_r1')
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cartolina.post import Post
from cartolina.text.tokens import tokens

__all__ = ["CONCEPTS", "SAYING", "STRONG", "WORDS", "annotated", "labels_of"]

SAYING = 2
"""How many of a photo's captions are its text; the others judge."""

_BABY = "baby babies infant infants toddler toddlers newborn"
_BIRD = "bird birds duck ducks goose geese seagull seagulls gull gulls pigeon pigeons eagle hawk swan parrot"
_CAR = "car cars taxi taxis jeep jeeps suv van vans racecar"
_DOG = "dog dogs puppy puppies greyhound greyhounds poodle terrier retriever labrador dachshund collie beagle"
_FEMALE = "woman women girl girls lady ladies female females mother mom bride"
_FLOWER = "flower flowers rose roses sunflower sunflowers tulips blossom blossoms"
_LAKE = "lake lakes pond ponds"
_MALE = "man men boy boys guy guys male males gentleman father dad groom"
_RIVER = "river rivers stream streams creek rapids"
_SEA = "sea ocean surf surfer surfers surfing waves seashore"
_TREE = "tree trees forest forests woods wooded pine palm"

WORDS: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "animals": f"animal animals horse horses cat cats cow cows bull sheep goat monkey {_DOG} {_BIRD}",
        "baby": _BABY,
        "bird": _BIRD,
        "beach": "beach beaches seashore shore sand sandy",
        "car": _CAR,
        "dog": _DOG,
        "female": _FEMALE,
        "flower": _FLOWER,
        "food": "food eat eats eating meal lunch dinner cake pizza sandwich fruit bread snack cooking",
        "indoor": "indoor indoors inside room kitchen bedroom couch sofa bed carpet restaurant bar store",
        "lake": _LAKE,
        "male": _MALE,
        "people": f"people person child children kid kids adult adults crowd {_MALE} {_FEMALE} {_BABY}",
        "plant_life": f"plant plants grass grassy bush bushes leaf leaves lawn hay weeds {_TREE} {_FLOWER}",
        "portrait": "portrait posing pose poses posed closeup face faces",
        "river": _RIVER,
        "sea": _SEA,
        "sky": "sky skies sun sunny sunset sunrise cloud clouds cloudy",
        "snow": "snow snowy snowing ice icy ski skis skier skiing snowboard snowboarder sled",
        "sport": (
            "sport sports football soccer basketball baseball tennis hockey volleyball rugby game match team "
            "player players race racing"
        ),
        "structures": "building buildings house houses bridge tower wall walls church fence city statue",
        "transport": (
            "bike bikes bicycle bicycles motorcycle motorcycles motorbike boat boats canoe kayak ship bus "
            f"buses truck trucks train trains tractor airplane plane scooter wagon vehicle vehicles {_CAR}"
        ),
        "tree": _TREE,
        "water": f"water pool puddle fountain waterfall splash splashes splashing {_LAKE} {_RIVER} {_SEA}",
    }.items()
}
"""What names each of the 24 concepts in a caption."""

CONCEPTS = tuple(WORDS)
"""The labels of the 24 concepts."""

_FOREMOST = "baby beach bird car dog female male people portrait river sea snow sport tree"
STRONG = tuple(f"{name}_r1" for name in _FOREMOST.split())
"""The labels of the 14 concepts where they are what the photo shows."""


def annotated(post: Post) -> Post:
    """A captioned post as MIRFlickr's are: tags and labels, no captions.

    Raises nothing: a post of too few captions has no labels, and the protocol leaves it out.
    """
    said, judging = post.captions[:SAYING], post.captions[SAYING:]
    words = (word for caption in said for word in tokens(caption))
    return replace(post, captions=(), tags=tuple(dict.fromkeys(words)), labels=labels_of(judging))


def labels_of(captions: Sequence[str]) -> tuple[str, ...]:
    """The concepts that any of the captions names, and with `_r1` the strong ones, named by most."""
    naming: Counter[str] = Counter()
    for caption in captions:
        words = frozenset(tokens(caption))
        naming.update(name for name, those in WORDS.items() if not words.isdisjoint(those))
    weak = (name for name in CONCEPTS if naming[name])
    strong = (label for label in STRONG if 2 * naming[label.removesuffix("_r1")] > len(captions))
    return (*weak, *strong)
