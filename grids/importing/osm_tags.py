"""What an OpenStreetMap tag becomes: literal tables, one line for each word that we take.

Component codes are the sub-classes of GB/T 47678.5-2026 (domain 3.5) that fit best.
"""

from __future__ import annotations

from typing import Final

Tags = dict[str, str]

#: highway or railway value -> rank: 0 is shown first, 9 last.
ROAD_RANKS: Final[dict[str, int]] = {
    "motorway": 0, "motorway_link": 1,
    "trunk": 1, "trunk_link": 2,
    "primary": 2, "primary_link": 3,
    "secondary": 3, "secondary_link": 4,
    "tertiary": 4, "tertiary_link": 5,
    "unclassified": 5, "residential": 5, "living_street": 5, "busway": 5,
    "pedestrian": 6, "service": 7, "track": 8,
    "footway": 9, "path": 9, "cycleway": 8, "steps": 9, "bridleway": 9, "corridor": 9,
    "rail": 2, "light_rail": 3, "subway": 4, "tram": 5, "narrow_gauge": 4, "monorail": 5,
    "funicular": 5,
}  # fmt: skip
LAST_RANK: Final = 9

#: Road or water word -> how strongly it divides grids; words that are missing do not divide.
DIVIDERS: Final[dict[str, float]] = {
    "motorway": 4.0, "trunk": 4.0, "primary": 3.0, "rail": 4.0, "light_rail": 3.0,
    "secondary": 2.5, "tertiary": 2.0, "unclassified": 1.2, "residential": 1.0,
    "living_street": 1.0, "pedestrian": 1.0, "road": 1.0, "track": 0.8,
    "motorway_link": 1.5, "trunk_link": 1.5, "primary_link": 1.5,
    "river": 4.0, "canal": 3.0, "stream": 1.5, "coastline": 4.0,
}  # fmt: skip
#: Streets that people live along, for maps that have streets but no buildings.
HOME_STREETS: Final = ("residential", "living_street", "unclassified", "tertiary", "secondary")

#: place value -> rank: 0 is shown first, 9 last.
PLACE_RANKS: Final[dict[str, int]] = {
    "country": 0, "state": 0, "province": 0, "region": 1, "county": 1, "city": 1,
    "municipality": 2, "town": 2, "borough": 3, "city_district": 3, "district": 3, "suburb": 4,
    "village": 4, "quarter": 5, "neighbourhood": 6, "hamlet": 6, "island": 5, "square": 7,
    "isolated_dwelling": 8, "farm": 8, "city_block": 8, "plot": 9, "islet": 8, "locality": 8,
}  # fmt: skip
TOWN_PLACES: Final = ("city_district", "borough", "town", "district", "suburb", "village")
COMMUNITY_PLACES: Final = ("suburb", "quarter", "neighbourhood", "village", "hamlet", "town")

WATERWAY_LINES: Final = frozenset(
    {"river", "stream", "canal", "drain", "ditch", "tidal_channel", "weir", "dam"}
)
WATERWAY_AREAS: Final = frozenset({"riverbank", "dock", "basin", "river", "canal"})
#: key, value -> kind of water, for closed outlines.
WATER_AREAS: Final[dict[tuple[str, str], str]] = {
    ("natural", "water"): "lake",
    ("landuse", "reservoir"): "reservoir",
    ("landuse", "basin"): "basin",
    ("leisure", "swimming_pool"): "swimming_pool",
    ("amenity", "fountain"): "fountain",
}

#: Keys whose closed outlines are land use, the first that is there wins.
LANDUSE_KEYS: Final = ("landuse", "leisure", "natural", "amenity", "tourism", "man_made", "place")
#: Values of those keys that are lines or points even when their ends meet, or no use of land.
NOT_LANDUSE: Final = frozenset(
    {
        ("natural", "tree_row"), ("natural", "cliff"), ("natural", "ridge"), ("natural", "arete"),
        ("natural", "coastline"), ("natural", "valley"), ("natural", "tree"),
        ("natural", "bay"), ("natural", "strait"),
        ("leisure", "slipway"), ("leisure", "track"), ("man_made", "embankment"),
        ("man_made", "pipeline"), ("man_made", "cutline"), ("tourism", "artwork"),
    }
)  # fmt: skip
#: Keys of which only these values are land use.
ONLY_LANDUSE: Final[dict[str, frozenset[str]]] = {
    "amenity": frozenset(
        {
            "school", "kindergarten", "university", "college", "hospital", "clinic", "parking",
            "grave_yard", "marketplace", "place_of_worship", "bus_station", "prison",
            "social_facility", "monastery", "public_bath",
        }
    ),
    "tourism": frozenset({"camp_site", "caravan_site", "zoo", "theme_park", "picnic_site"}),
    "man_made": frozenset({"pier", "bridge", "wastewater_plant", "works", "breakwater"}),
    "place": frozenset({"square", "islet", "island"}),
}  # fmt: skip

#: key -> value -> component code. A node, an open line or an outline of that tag is one component.
COMPONENTS: Final[dict[str, dict[str, str]]] = {
    "highway": {
        "street_lamp": "01037", "bus_stop": "02004", "traffic_signals": "02014",
        "speed_camera": "01050", "traffic_mirror": "02033", "elevator": "01076",
        "emergency_access_point": "01066", "milestone": "02010",
    },
    "emergency": {
        "fire_hydrant": "01013", "phone": "01066", "defibrillator": "01066",
        "fire_extinguisher": "01013", "fire_hose": "01013", "suction_point": "01068",
        "water_tank": "01013", "siren": "01067", "life_ring": "01069",
    },
    "amenity": {
        "waste_basket": "03005", "waste_disposal": "03005", "recycling": "03005",
        "bench": "04007", "post_box": "01042", "telephone": "01041", "toilets": "03001",
        "vending_machine": "01045", "drinking_water": "01025", "fountain": "04010",
        "bicycle_parking": "02025", "motorcycle_parking": "02025", "bicycle_rental": "02026",
        "parking": "02001", "taxi": "02005", "charging_station": "01054", "fuel": "05003",
        "parcel_locker": "01075", "payment_terminal": "01053", "shelter": "01052",
        "clock": "01039", "water_point": "01025", "letter_box": "01042", "lounger": "04007",
        "waste_transfer_station": "03004", "sanitary_dump_station": "03003",
    },
    "natural": {"tree": "04002"},
    "barrier": {"bollard": "02021", "height_restrictor": "02011"},
    "man_made": {
        "surveillance": "01050", "manhole": "01023", "street_cabinet": "01027",
        "flagpole": "01035", "water_tower": "01063", "water_well": "01024",
        "utility_pole": "01034", "communications_tower": "01062", "antenna": "01062",
        "monitoring_station": "03009", "pumping_station": "01072", "outfall": "01073",
        "gas_regulator": "01049", "water_tap": "01025", "planter": "04005",
    },
    "power": {
        "tower": "01047", "pole": "01030", "transformer": "01048", "substation": "01048",
        "catenary_mast": "01030",
    },
    "railway": {"level_crossing": "02028", "crossing": "02028", "subway_entrance": "02032"},
    "tourism": {"information": "03008", "artwork": "04006"},
    "historic": {
        "memorial": "05009", "monument": "05009", "archaeological_site": "05009",
        "castle": "05009", "ruins": "05009", "city_gate": "01064",
    },
    "leisure": {"fitness_station": "01046", "picnic_table": "04007"},
    "traffic_calming": {
        "bump": "02043", "hump": "02043", "table": "02043", "cushion": "02043",
        "rumble_strip": "02043", "island": "02019",
    },
    "advertising": {
        "billboard": "03006", "column": "03006", "board": "03006", "poster_box": "03006",
        "screen": "03006", "totem": "03006", "sign": "03006",
    },
    "shop": {"kiosk": "01044", "newsagent": "01040"},
}  # fmt: skip
COMPONENT_KEYS: Final = tuple(COMPONENTS)

#: code by the more exact word -> (key of the word, value -> code); what is not listed keeps its code.
REFINED: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "01023": (
        "manhole",
        {
            "water": "01001", "sewer": "01002", "drain": "01003", "telecom": "01007",
            "power": "01005", "gas": "01011", "heating": "01010", "cable_tv": "01008",
        },
    ),
    "03008": ("information", {"guidepost": "02012", "terminal": "01043", "office": "01043"}),
    "01027": ("street_cabinet", {"power": "01028", "gas": "01049", "street_lighting": "01060"}),
    "02001": ("parking", {"multi-storey": "02002"}),
    "04002": ("denotation", {"natural_monument": "04001", "landmark": "04003",
                             "agricultural": "04003", "garden": "04003"}),
    "03005": ("recycling:clothes", {"yes": "01059"}),
    "01045": ("vending", {"excrement_bags": "03015", "parking_tickets": "02003",
                          "parcel_pickup": "01075", "parcel_pickup;parcel_mail_in": "01075"}),
    "03009": ("monitoring:water_level", {"yes": "01067"}),
}  # fmt: skip

#: key -> value -> kind of public facility.
FACILITIES: Final[dict[str, dict[str, str]]] = {
    "amenity": {
        "school": "school", "kindergarten": "kindergarten", "childcare": "kindergarten",
        "university": "university", "college": "university", "library": "library",
        "hospital": "hospital", "clinic": "clinic", "doctors": "clinic", "dentist": "clinic",
        "pharmacy": "pharmacy", "veterinary": "veterinary",
        "fire_station": "fire_station", "police": "police", "townhall": "government",
        "courthouse": "court", "prison": "prison", "community_centre": "community_centre",
        "social_facility": "social_facility", "nursing_home": "social_facility",
        "shelter": "shelter", "place_of_worship": "place_of_worship", "theatre": "culture",
        "arts_centre": "culture", "cinema": "culture", "post_office": "post_office",
        "bus_station": "bus_station", "marketplace": "market", "grave_yard": "cemetery",
        "crematorium": "cemetery", "public_building": "government",
        "ranger_station": "police", "refugee_site": "shelter",
    },
    "emergency": {"ambulance_station": "ambulance_station", "assembly_point": "shelter",
                  "mountain_rescue": "ambulance_station"},
    "healthcare": {"hospital": "hospital", "clinic": "clinic", "doctor": "clinic",
                   "centre": "clinic"},
    "office": {"government": "government"},
    "tourism": {"museum": "culture", "gallery": "culture"},
    "leisure": {"stadium": "sports", "sports_centre": "sports", "swimming_area": "sports",
                "ice_rink": "sports", "park": "park", "playground": "playground"},
    "landuse": {"cemetery": "cemetery"},
    "railway": {"station": "station", "halt": "station"},
    "aeroway": {"aerodrome": "airport", "heliport": "airport"},
    "man_made": {"wastewater_plant": "utility", "water_works": "utility"},
    "power": {"plant": "utility"},
}  # fmt: skip

#: key -> value -> kind of premises; None stands for every other value of the key.
PREMISES: Final[dict[str, dict[str | None, str]]] = {
    "shop": {
        "supermarket": "supermarket", "mall": "mall", "department_store": "mall",
        "convenience": "shop", "hairdresser": "beauty", "beauty": "beauty", "massage": "beauty",
        "car_repair": "workshop", "tyres": "workshop", "motorcycle_repair": "workshop",
        "gas": "fuel", "fireworks": "hazardous", None: "shop",
    },
    "amenity": {
        "restaurant": "restaurant", "fast_food": "restaurant", "food_court": "restaurant",
        "cafe": "cafe", "ice_cream": "cafe", "bar": "bar", "pub": "bar", "biergarten": "bar",
        "nightclub": "entertainment", "casino": "entertainment", "karaoke_box": "entertainment",
        "gambling": "entertainment", "internet_cafe": "internet_cafe", "stripclub": "entertainment",
        "fuel": "fuel", "car_wash": "workshop", "vehicle_inspection": "workshop",
        "bank": "bank", "bureau_de_change": "bank", "marketplace": "market",
        "driving_school": "training", "language_school": "training", "music_school": "training",
        "car_rental": "office", "conference_centre": "office", "studio": "office",
        "love_hotel": "hotel", "events_venue": "entertainment",
    },
    "tourism": {
        "hotel": "hotel", "hostel": "hotel", "motel": "hotel", "guest_house": "hotel",
        "apartment": "rental_house", "chalet": "rental_house", "alpine_hut": "hotel",
        "theme_park": "entertainment",
    },
    "craft": {None: "workshop"},
    "office": {"government": "", None: "office"},
    "industrial": {"warehouse": "warehouse", "depot": "warehouse", None: "factory"},
    "man_made": {"works": "factory"},
    "building": {"warehouse": "warehouse", "factory": "factory", "industrial": "factory"},
    "leisure": {"fitness_centre": "sports", "amusement_arcade": "entertainment",
                "adult_gaming_centre": "entertainment", "escape_game": "entertainment"},
}  # fmt: skip

#: Values that deny a tag.
DENIED: Final = frozenset({"no", "none", "false"})
#: Keys that an element needs at least one of to be looked at.
KEYS: Final = (
    "highway", "railway", "building", "natural", "landuse", "leisure", "waterway", "amenity",
    "place", "addr:housenumber", "shop", "tourism", "office", "craft", "emergency", "man_made",
    "power", "barrier", "historic", "traffic_calming", "advertising", "boundary", "industrial",
    "healthcare", "aeroway", "manhole",
)  # fmt: skip

#: Building words without homes in them.
NO_HOMES: Final = frozenset(
    {
        "garage", "garages", "carport", "shed", "roof", "industrial", "commercial", "retail",
        "office", "warehouse", "factory", "school", "kindergarten", "university", "college",
        "hospital", "church", "chapel", "cathedral", "mosque", "temple", "synagogue", "shrine",
        "religious", "barn", "farm_auxiliary", "greenhouse", "stable", "sty", "cowshed", "hut",
        "train_station", "transportation", "parking", "service", "public", "civic", "government",
        "hotel", "supermarket", "kiosk", "hangar", "ruins", "construction", "toilets", "bunker",
        "stadium", "grandstand", "sports_hall", "pavilion", "storage_tank", "silo", "container",
        "tent", "fire_station", "museum", "castle", "conservatory", "transformer_tower",
        "water_tower", "gazebo", "boathouse", "bridge", "collapsed", "static_caravan", "ger",
    }
)  # fmt: skip
ONE_HOME: Final = frozenset(
    {"house", "detached", "bungalow", "farm", "cabin", "villa", "houseboat", "allotment_house"}
)
