"""Made-up titles, descriptions, people and measurement metadata of deformability cytometry, the same for the same seed."""

from __future__ import annotations

import itertools
import random
from typing import Any

TOPICS = """deformability cytometry beads blood cells erythrocytes neutrophils platelets leukocytes HL60 Jurkat stiffness
actin cytoskeleton microfluidics fluorescence calibration drug treatment control patient donor malaria leukaemia diabetes COVID
Blutzellen Verformbarkeit Thrombozyten Granulozyten Probe Messung Kontrolle Patient Spender Steifigkeit Zellkern Mikroskopie
Lösung Kühlung Größe Zähler Kanalbreite Zellkultur Leukämie Bluttransfusion""".split()  # noqa: SIM905
PEOPLE = "Müller Guck Otto Kräter Jakobi Rosendahl Herbig Maier Schröder Yamada Chen Novák Nawaz Soteriou Weiß Fiedler Böhm".split()  # noqa: SIM905
SAMPLES = ("primary cells", "cell line", "artificial")
ORGANISMS = ("Homo sapiens", "Mus musculus", "Danio rerio", "Caenorhabditis elegans")
LICENCES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0")
_SYLLABLES = "ka lo mi ter bra zel ung ver flu ro pho si tan ge mer ul po dis cyt ome ker blu fes tin ar do ne qua sti we".split()  # noqa: SIM905
_RARE = 20_000


class Writer:
    """Draws words by Zipf's law: the topics are common, thousands of others rare."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        words: dict[str, None] = {}
        while len(words) < _RARE:
            words["".join(self.random.choices(_SYLLABLES, k=self.random.randint(2, 4)))] = None
        self.words = [*TOPICS, *words]
        self._weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(self.words))))

    def text(self, count: int) -> str:
        """`count` words."""
        return " ".join(self.random.choices(self.words, cum_weights=self._weights, k=count))

    def title(self) -> str:
        """Some words, the first in capitals, and a number nobody else has (nearly)."""
        return f"{self.text(self.random.randint(3, 7)).capitalize()} {self.random.randrange(10**10):010d}"

    def people(self) -> str:
        """One to four authors."""
        return ", ".join(
            f"{chr(65 + self.random.randrange(26))}. {name}"
            for name in self.random.sample(PEOPLE, self.random.randint(1, 4))
        )

    def setup(self) -> dict[str, Any]:
        """Metadata that the measurements of a dataset share: about 40 keys as dclab names them."""
        draw = self.random
        flow = draw.choice((0.03999999910593033, 0.05999999865889549, 0.11999999731779099, 0.16, 0.32))
        return {
            "dc:experiment:date": f"20{draw.randint(15, 26)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
            "dc:experiment:sample": self.text(2).replace(" ", "_"),
            "dc:fluorescence:bit depth": 16,
            "dc:fluorescence:channel 1 name": "525/50",
            "dc:fluorescence:channel 2 name": "593/46",
            "dc:fluorescence:channel 3 name": "700/75",
            "dc:fluorescence:channel count": 3,
            "dc:fluorescence:laser 1 lambda": 488.0,
            "dc:fluorescence:laser 1 power": float(draw.randint(1, 50)),
            "dc:fluorescence:laser count": 2,
            "dc:fluorescence:sample rate": 312500,
            "dc:fluorescence:samples per event": 177,
            "dc:imaging:flash device": "LED (ZMD L1)",
            "dc:imaging:flash duration": 2.0,
            "dc:imaging:frame rate": float(draw.choice((1000, 1600, 2000, 3000))),
            "dc:imaging:pixel size": 0.3400000035762787,
            "dc:imaging:roi position x": draw.randint(500, 700),
            "dc:imaging:roi position y": draw.randint(400, 600),
            "dc:imaging:roi size x": 250,
            "dc:imaging:roi size y": draw.choice((80, 96)),
            "dc:online_contour:bin area min": 10,
            "dc:online_contour:bin kernel": 5,
            "dc:online_contour:bin threshold": -6,
            "dc:online_contour:image blur": 0,
            "dc:online_contour:no absdiff": True,
            "dc:online_filter:target event count": draw.choice((5000, 10000)),
            "dc:setup:channel width": draw.choice((15.0, 20.0, 30.0, 40.0)),
            "dc:setup:flow rate": flow,
            "dc:setup:flow rate sample": flow / 4,
            "dc:setup:flow rate sheath": flow * 3 / 4,
            "dc:setup:identifier": f"ZMDD-AcC-{draw.randrange(200):06x}-2a2250",
            "dc:setup:medium": draw.choice(("CellCarrier", "CellCarrierB", "water", "PBS")),
            "dc:setup:module composition": "AcCellerator,FluorescenceModule",
            "dc:setup:software version": f"ShapeIn 2.{draw.randint(0, 5)}.{draw.randint(0, 9)} | dclab 0.{draw.randint(10, 60)}.0",
        }

    def measurement(self, setup: dict[str, Any], number: int) -> dict[str, Any]:
        """Metadata of measurement `number` of a dataset."""
        draw = self.random
        return setup | {
            "dc:experiment:event count": draw.randint(100, 60_000),
            "dc:experiment:run index": number + 1,
            "dc:experiment:time": f"{draw.randrange(24):02d}:{draw.randrange(60):02d}:{draw.randrange(60):02d}",
            "dc:setup:chip region": "reservoir" if number % 5 == 4 else "channel",
        }

    def supplements(self) -> dict[str, Any]:
        """Supplementary metadata of a resource."""
        return {
            "sp:general:sample type": self.random.choice(SAMPLES),
            "sp:cells:organism": self.random.choice(ORGANISMS),
            "sp:chip:channel width": 20.5,
        }
