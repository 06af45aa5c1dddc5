"""Published datasets in small, laid out as they are."""

from photo_files import write

CITIES = ("london", "newyork")


def instacities(root, count=3, cities=CITIES):
    """Captions and photos of `count` posts a city, numbered from 1000."""
    for city in cities:
        captions = root / "captions_resized_1M/cities_instagram" / city
        captions.mkdir(parents=True)
        for number in range(1000, 1000 + count):
            (captions / f"{number}.txt").write_text(f"Sunset {number} in #{city} 🌇\n\n#sun")
            write(root / "img_resized_1M/cities_instagram" / city / f"{number}.jpg")
    return root


def mirflickr(root, tags, concepts, inner="mirflickr"):
    """Photos with the given `tags` (a list each, from im1), and files of `concepts` (numbers by name)."""
    home = root / inner
    (home / "meta/tags").mkdir(parents=True)
    (home / "meta/exif").mkdir()
    for number, mine in enumerate(tags, 1):
        write(home / f"im{number}.jpg")
        (home / f"meta/tags/tags{number}.txt").write_text("".join(f"{tag}\n" for tag in mine))
        exif = f"-Exposure\n0.01 sec (1/100)\n-Date and Time (Original)\n2007:05:{number:02} 12:39:16\n"
        (home / f"meta/exif/exif{number}.txt").write_text(exif)
    annotations = root / "mirflickr25k_annotations_v080"
    annotations.mkdir()
    (annotations / "README.txt").write_text("MIRFLICKR-25000 annotations, version 0.80\n")
    for name, numbers in concepts.items():
        (annotations / f"{name}.txt").write_text("".join(f"{number}\r\n" for number in numbers))
    return root


def link(path, target):
    """A link in place of whatever is at `path`."""
    path.unlink(missing_ok=True)
    path.symlink_to(target)
