"""What `benchmarks.cutoff` asks for, and by which words a caption says that it is there.

Written before the cut-off was measured. A line is `the query: concept concept …`; a photo shows what is
asked for if one of its captions has a word of every concept, where a concept is a name of `FORMS` or, if it
is none, that word and its plural in -s or -es. Whether a query has matches is not said here: it depends on
the gallery, and the captions say so.

Queries are numbered from 0; those with an even number chose the method and its parameters, those with an odd
number are reported.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GIBBERISH", "QUERIES", "Asked"]


@dataclass(frozen=True)
class Asked:
    """A query, and of each concept the words by which a caption names it."""

    text: str
    concepts: tuple[frozenset[str], ...]


FORMS = {
    "dog": "dog dogs doggy puppy puppies",
    "man": "man men guy guys gentleman gentlemen",
    "woman": "woman women lady ladies",
    "child": "child children kid kids boy boys girl girls toddler toddlers baby babies infant",
    "boy": "boy boys",
    "girl": "girl girls",
    "baby": "baby babies infant infants newborn",
    "people": "people crowd crowds persons",
    "bike": "bike bikes bicycle bicycles bicyclist bicyclists cyclist cyclists biker bikers bmx biking",
    "motorcycle": "motorcycle motorcycles motorcyclist motorcyclists motorbike motorbikes "
    "motorcross motocross dirtbike",
    "car": "car cars racecar racecars automobile automobiles",
    "run": "run runs running ran",
    "jump": "jump jumps jumping jumped leap leaps leaping leapt midair",
    "climb": "climb climbs climbing climbed climber climbers",
    "swim": "swim swims swimming swam swimmer swimmers",
    "swing": "swing swings swinging",
    "slide": "slide slides sliding",
    "snow": "snow snowy snowing snowbank snowbanks",
    "mountain": "mountain mountains mountaintop",
    "beach": "beach beaches seashore",
    "sea": "ocean sea seaside",
    "lake": "lake lakes pond ponds",
    "surf": "surf surfs surfing surfer surfers surfboard surfboards",
    "skateboard": "skateboard skateboards skateboarder skateboarders skateboarding "
    "skater skaters skate skates",
    "ski": "ski skis skier skiers skiing skied",
    "snowboard": "snowboard snowboards snowboarder snowboarders snowboarding",
    "soccer": "soccer football",
    "football": "football footballer footballers quarterback",
    "basketball": "basketball basketballs",
    "baseball": "baseball baseballs",
    "tennis": "tennis",
    "kayak": "kayak kayaks kayaker kayakers kayaking canoe canoes canoeing canoer",
    "boat": "boat boats sailboat sailboats rowboat rowboats speedboat canoe canoes kayak kayaks "
    "raft ship ships",
    "horse": "horse horses pony ponies horseback",
    "bird": "bird birds seagull seagulls gull gulls pigeon pigeons duck ducks",
    "cat": "cat cats kitten kittens",
    "rope": "rope ropes",
    "frisbee": "frisbee frisbees",
    "ball": "ball balls",
    "grass": "grass grassy lawn",
    "forest": "forest forests woods wooded",
    "city": "city street streets downtown urban",
    "night": "night nighttime dark",
    "sunset": "sunset sunsets sunrise dusk",
    "flower": "flower flowers floral",
    "smile": "smile smiles smiling smiled grin grinning laugh laughs laughing",
    "sleep": "sleep sleeps sleeping asleep nap naps napping",
    "read": "read reads reading book books newspaper",
    "eat": "eat eats eating ate meal food",
    "drink": "drink drinks drinking drank",
    "dance": "dance dances dancing danced dancer dancers",
    "guitar": "guitar guitars guitarist guitarists",
    "hockey": "hockey",
    "rugby": "rugby",
    "fountain": "fountain fountains",
    "race": "race races racing racer racers",
    "wave": "wave waves",
    "rock": "rock rocks boulder boulders cliff cliffs",
    "cliff": "cliff cliffs ledge",
    "umbrella": "umbrella umbrellas parasol",
    "tent": "tent tents camp camping campsite",
    "fire": "fire fires flame flames campfire bonfire",
    "bus": "bus buses",
    "train": "train trains subway railway locomotive",
    "truck": "truck trucks",
    "stick": "stick sticks",
    "splash": "splash splashes splashing splashed",
    "pool": "pool pools",
    "playground": "playground playgrounds",
    "market": "market markets vendor vendors stall stalls",
    "band": "band bands musician musicians concert concerts",
    "costume": "costume costumes mask masks",
    "fish": "fish fishes fishing fisherman fishermen",
    "fight": "fight fights fighting wrestle wrestles wrestling",
    "sheep": "sheep lamb lambs",
    "cow": "cow cows cattle bull bulls",
    "wedding": "wedding weddings bride brides groom",
    "desert": "desert deserts dune dunes",
    "wheelchair": "wheelchair wheelchairs",
    "computer": "computer computers laptop laptops",
    "telephone": "telephone telephones phone phones cellphone cellphones",
    "white": "white",
    "red": "red",
    "surgery": "surgery surgeon surgeons",
    "teeth": "dentist dentists",
    "mri": "mri xray scan scans",
    "fox": "fox foxes",
    "goose": "goose geese",
    "butterfly": "butterfly butterflies",
    "church": "church churches cathedral cathedrals chapel",
    "bowling": "bowling bowler",
    "box": "boxing",
    "judo": "judo",
    "spaceship": "spaceship spaceships astronaut astronauts spacecraft",
    "sew": "sew sews sewing",
    "shave": "shave shaves shaving",
    "plough": "plough plow plows plowing tractor tractors",
    "strawberry": "strawberry strawberries",
    "factory": "factory factories",
}

SUBJECTS = """\
dog: dog
children: child
a baby: baby
a car: car
people on bicycles: bike
motorcycle: motorcycle
surfing: surf
skateboarding: skateboard
snowboarding: snowboard
skiing: ski
a soccer game: soccer
American football players: football
basketball: basketball
baseball: baseball
tennis: tennis
a kayak on the water: kayak
boat: boat
horse: horse
birds: bird
a cat: cat
climbing: climb
swimming: swim
dancing: dance
a guitar: guitar
hockey: hockey
rugby: rugby
a frisbee: frisbee
a fountain: fountain
playground: playground
mountains: mountain
the beach: beach
a forest: forest
snow: snow
sunset: sunset
flowers: flower
a tent: tent
bus: bus
train: train
a wedding: wedding
a market: market
musicians in concert: band
costumes and masks: costume
fishing: fish
an umbrella: umbrella
fire: fire
somebody asleep: sleep
reading a book: read
a desert: desert
truck: truck
trampoline: trampoline
a rainbow: rainbow
a hammock: hammock
fireplace: fireplace
sheep: sheep
cows: cow
a computer: computer
telephone: telephone
church: church
a bridge: bridge
a waterfall: waterfall
"""

PAIRS = """\
dogs running: dog run
a dog in the snow: dog snow
a dog swimming: dog swim
a dog with a ball: dog ball
a dog with a stick in its mouth: dog stick
a dog on the beach: dog beach
a child on a swing: child swing
a girl on a slide: girl slide
a child in a swimming pool: child pool
a boy playing baseball: boy baseball
a baby smiling: baby smile
a red car: red car
a car race: car race
a bike in the forest: bike forest
a snowy mountain: snow mountain
a man climbing rocks: man climb
a rock climber with a rope: climb rope
a woman playing tennis: woman tennis
people in the city at night: people night
a man jumping into a lake: man jump lake
a boat on the sea: boat sea
waves at the beach: wave beach
a girl with flowers: girl flower
a man playing guitar: man guitar
a child eating: child eat
a woman drinking: woman drink
a bird flying over water: bird water
a horse jumping: horse jump
children splashing in a fountain: child fountain
a skateboarder jumping: skateboard jump
a skier jumping: ski jump
a dog catching a frisbee: dog frisbee
a white dog on grass: white dog grass
a crowd in the street: people city
a man with a fish: man fish
dogs fighting: dog fight
a child in a costume: child costume
a woman reading: woman read
a boy on a bike: boy bike
a tent in the mountains: tent mountain
"""

ELSEWHERE = """\
zebra: zebra
pizza: pizza
surgery: surgery
a typewriter: typewriter
submarine: submarine
wedding cake: wedding cake
an MRI scan: mri
a penguin: penguin
llama: llama
chess players: chess
a piano: piano
a microscope: microscope
kangaroo: kangaroo
castle: castle
a volcano: volcano
sushi: sushi
wheelchair: wheelchair
astronaut in a spaceship: spaceship
a telescope: telescope
broccoli: broccoli
scissors: scissors
toaster: toaster
a refrigerator: refrigerator
a whale: whale
shark: shark
octopus: octopus
a spider's web: spider
a snake: snake
turtle: turtle
frog: frog
a pig: pig
a rabbit: rabbit
giraffe: giraffe
owl: owl
a parrot: parrot
a peacock: peacock
elephant: elephant
camel: camel
a monkey: monkey
a fox: fox
squirrel: squirrel
geese: goose
a jellyfish: jellyfish
a dinosaur: dinosaur
graveyard: graveyard
lighthouse: lighthouse
a windmill: windmill
a mosque: mosque
hospital bed: hospital
dentist: teeth
a courtroom: courtroom
a bookshelf: bookshelf
toilet: toilet
candle: candle
a pumpkin: pumpkin
a sandwich: sandwich
spaghetti: spaghetti
bowl of soup: soup
a salad: salad
bananas: banana
strawberries: strawberry
tomato: tomato
mushrooms: mushroom
a cactus: cactus
sunflower: sunflower
lightning: lightning
a tornado: tornado
the moon: moon
iceberg: iceberg
harp: harp
a trumpet: trumpet
an accordion: accordion
archery: archery
boxing: box
judo: judo
billiards: billiards
badminton: badminton
cricket: cricket
bowling: bowling
golf: golf
helicopter: helicopter
ambulance: ambulance
a tractor ploughing: plough
a rocket: rocket
space shuttle: shuttle
traffic lights: traffic
a parking meter: meter
a keyboard: keyboard
printer: printer
banknote: banknote
a stamp collection: stamp
a passport: passport
screenshot: screenshot
map: map
handwriting: handwriting
a receipt from the supermarket: receipt
floor plan: blueprint
chart with numbers: chart
a cup of coffee: coffee
sewing: sew
shaving: shave
factory: factory
a greenhouse: greenhouse
an aquarium: aquarium
skeleton: skeleton
painting by van Gogh: gogh
a chandelier: chandelier
a bathtub: bathtub
lava lamp: lava
dragon: dragon
ants: ant
bees: bee
snail: snail
butterfly: butterfly
a lobster: lobster
a goat: goat
deer: deer
"""

ELSEWHERE_PAIRS = """\
a woman feeding a giraffe: giraffe
a child playing the harp: child harp
a zebra at a river: zebra water
a man with a microscope: man microscope
a boy and a penguin: boy penguin
a dog in a submarine: dog submarine
a man on the moon: man moon
a girl holding an owl: girl owl
people in a courtroom: people courtroom
a castle in the mountains: castle mountain
a snake in the grass: snake grass
a man using a typewriter: man typewriter
a woman at the dentist: woman teeth
a child with a rabbit: child rabbit
two men playing billiards: man billiards
a cat on a piano: cat piano
a whale in the ocean: whale sea
a kangaroo jumping: kangaroo jump
a fox in the snow: fox snow
a nurse in a hospital: nurse hospital
a boy eating spaghetti: boy spaghetti
a lighthouse at night: lighthouse night
an elephant in a pool: elephant pool
a man repairing a toilet: man toilet
a woman shaving a sheep: woman sheep
a shark and a surfer: shark surf
a dog reading a newspaper: newspaper dog
a volcano at sunset: volcano sunset
a red tractor on a field: red plough
a squirrel on a skateboard: squirrel skateboard
"""

GIBBERISH = """\
qwxzv
asdfghjkl
zxcvb nmlkj qwert
flurbonk
blargh snizzle
grumpledorf vexiquat
xkcdqpt
mmmmmmmm
lorem ipsum dolor
vrklj
trunsible
ooglesnap frimmit
0x3fa9b2
jjkkll
wubbalo
snorfblat
tzzk prrgh
aeiouaeiou
hgfdsapoiu
quibblefex
""".splitlines()
"""Nobody means anything by these."""


def _asked(line: str) -> Asked:
    text, _, concepts = line.partition(": ")
    return Asked(text, tuple(_forms(concept) for concept in concepts.split()))


def _forms(concept: str) -> frozenset[str]:
    plain = (concept, concept + "s", concept + "es")
    return frozenset(FORMS[concept].split() if concept in FORMS else plain)


PARTS = (SUBJECTS, PAIRS, ELSEWHERE, ELSEWHERE_PAIRS)
QUERIES = tuple(_asked(line) for part in PARTS for line in part.splitlines())
"""Some have matches in most galleries, some in few."""
