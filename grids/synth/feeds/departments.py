"""The fifteen departments that send a day's records: THE list of what each sends and how.

Every one has words, a file format, a coordinate system, ids and faults of its own, as offices
of one county do. Sizes are those of a day at the customer's scale, 300,000 records together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from grids.synth.plan import METRIC_SRID

Format = Literal["csv-gb18030", "csv-utf8", "xlsx", "geojson", "gpkg", "shp", "sqlite"]

#: Records of a day at scale 1.0.
A_DAY: Final = 300_000
DEGREES: Final = "EPSG:4490"
METRES: Final = f"EPSG:{METRIC_SRID}"
#: The same zone with its number before the easting.
ZONED: Final = "EPSG:4528"

#: Of 1,000 records of a department, so many have each fault; departments raise or drop some.
FAULTS: Final[dict[str, int]] = {
    "code_mistyped": 6, "code_old": 5, "swapped": 3, "shifted": 6, "twice": 5,
    "other_name": 25, "day_impossible": 4, "figure_impossible": 4, "missing": 5, "stale": 8,
    "contradiction": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Department:
    """One department's feed.

    `heads` leads from fields of the import's target to the department's own heads, in the order
    of the file; `x` and `y` are where two columns bring the place. `faults` are shares of 1,000
    that differ from `FAULTS`; `dirt` is the share of addresses that are written dirtily.
    """

    code: str
    name: str
    target: str
    rows: int
    format: Format
    heads: Mapping[str, str]
    own_id: str  #: what its ids begin with
    crs: str = ""  #: empty where the file brings no coordinates, only addresses
    kinds: tuple[str, ...] = ()  #: of the register that it knows; empty for all
    owners: tuple[str, ...] = ()  #: departments whose components it knows
    seat: str = ""  #: its code in `data/codes/departments.csv`, where it has one
    word: int = 0  #: which of the ways to write a kind it uses
    day: str = "%Y-%m-%d"
    faults: Mapping[str, int] = field(default_factory=dict)
    dirt: float = 0.3
    #: Shares of records of entries that changed, are new and are gone; the rest is as it was.
    changed: float = 0.22
    new: float = 0.06
    gone: float = 0.01

    @property
    def by_address(self) -> bool:
        """Say whether an address is all that the file tells of a place."""
        return not self.crs

    @property
    def file_name(self) -> str:
        """Return the name of the file."""
        endings = {"csv-gb18030": "csv", "csv-utf8": "csv", "shp": "zip", "sqlite": "sqlite"}
        return f"{self.code}.{endings.get(self.format, self.format)}"

    def share(self, fault: str) -> float:
        """Return which share of the records has a fault."""
        return self.faults.get(fault, FAULTS[fault]) / 1000


DEPARTMENTS: Final[tuple[Department, ...]] = (
    Department(
        "market-supervision", "市场监督管理局", "enterprise", 72_000, "csv-gb18030",
        {"own_id": "主体编号", "name": "市场主体名称", "uscc": "统一社会信用代码", "kind": "主体类型",
         "industry": "行业门类", "status": "登记状态", "staff": "从业人数", "registered_on": "成立日期",
         "address": "住所", "lon": "经度", "lat": "纬度"},
        "SC", DEGREES, word=1, day="%Y年%m月%d日", faults={"other_name": 8}, seat="D12",
    ),
    Department(
        "tax", "税务局", "enterprise", 40_000, "xlsx",
        {"own_id": "登记序号", "name": "纳税人名称", "uscc": "纳税人识别号", "kind": "登记注册类型",
         "industry": "行业", "status": "纳税人状态", "registered_on": "开业日期",
         "address": "生产经营地址"},
        "SW", word=2, faults={"code_old": 25, "contradiction": 10},
    ),
    Department(
        "civil-affairs", "民政局", "address", 14_000, "csv-utf8",
        {"own_id": "地名编号", "text": "标准地址", "street": "街路巷", "number": "门牌号",
         "estate": "小区名称", "building": "楼幢", "lon": "东经", "lat": "北纬"},
        "DM", DEGREES,
    ),
    Department(
        "health", "卫生健康局", "premises", 14_000, "xlsx",
        {"own_id": "许可证编号", "name": "单位名称", "kind": "场所类别", "floor_area_m2": "使用面积",
         "enterprise_uscc": "统一社会信用代码", "lon": "经度", "lat": "纬度"},
        "WJ", "gcj02", kinds=("clinic", "hotel", "beauty", "restaurant", "entertainment"),
    ),
    Department(
        "education", "教育局", "facility", 1_000, "geojson",
        {"own_id": "办学标识", "name": "学校名称", "kind": "办学类型"},
        "JY", DEGREES, kinds=("school", "kindergarten"), faults={"swapped": 10},
    ),
    Department(
        "housing", "住房和城乡建设局", "building", 22_000, "shp",
        {"own_id": "FWBH", "name": "JZMC", "kind": "FWYT", "levels": "DSCS", "height_m": "JZGD",
         "built_year": "JCNF"},
        "ZJ", METRES, word=1, seat="D06",
    ),
    Department(
        "fire", "消防救援大队", "premises", 25_000, "csv-gb18030",
        {"own_id": "单位序号", "name": "场所名称", "kind": "业态", "floor_area_m2": "建筑面积（平方米）",
         "enterprise_uscc": "信用代码", "lon": "横坐标", "lat": "纵坐标"},
        "XF", METRES, word=1,
        kinds=("shop", "restaurant", "hotel", "entertainment", "workshop", "factory", "warehouse"), seat="D09",
    ),
    Department(
        "urban-management", "综合行政执法局", "component", 32_000, "gpkg",
        {"own_id": "fid_cg", "identifier": "部件标识码", "code": "部件小类", "state": "部件状态",
         "department_code": "权属单位"},
        "CG", METRES, seat="D03",
    ),
    Department(
        "emergency", "应急管理局", "premises", 9_000, "csv-utf8",
        {"own_id": "编号", "name": "生产经营单位", "kind": "单位类别", "floor_area_m2": "厂房面积",
         "enterprise_uscc": "社会信用代码", "address": "详细地址"},
        "YJ", kinds=("workshop", "factory", "warehouse"), word=2,
    ),
    Department(
        "water", "水务局", "component", 13_000, "shp",
        {"own_id": "GXDBH", "identifier": "BSM", "code": "XLDM", "state": "ZT"},
        "SWJ", ZONED, owners=("D01", "D09"), seat="D07",
    ),
    Department(
        "power", "供电公司", "component", 13_000, "sqlite",
        {"own_id": "杆塔编号", "code": "设备类型", "state": "运行状态", "lon": "lng", "lat": "lat"},
        "GD", "bd09", owners=("D10", "D01"), word=1, seat="D10",
    ),
    Department(
        "statistics", "统计局", "enterprise", 12_000, "xlsx",
        {"own_id": "单位序码", "name": "单位详细名称", "uscc": "统一社会信用代码", "kind": "机构类型",
         "industry": "行业代码", "staff": "期末从业人员", "registered_on": "开业时间",
         "address": "单位所在地"},
        "TJ", day="%Y%m%d", faults={"contradiction": 25, "stale": 25},
    ),
    Department(
        "natural-resources", "自然资源和规划局", "building", 8_000, "gpkg",
        {"own_id": "不动产单元号", "kind": "房屋用途", "levels": "总层数", "built_year": "竣工年份"},
        "ZR", ZONED, word=1,
    ),
    Department(
        "human-resources", "人力资源和社会保障局", "enterprise", 15_000, "csv-utf8",
        {"own_id": "参保单位编号", "name": "单位名称", "uscc": "信用代码", "kind": "单位类型",
         "industry": "所属行业", "staff": "参保人数", "address": "单位地址"},
        "RS", word=1, faults={"contradiction": 30, "code_old": 35},
    ),
    Department(
        "transport", "交通运输局", "component", 10_000, "geojson",
        {"own_id": "设施编号", "identifier": "标识码", "code": "设施类型", "state": "技术状况"},
        "JT", DEGREES, owners=("D04",), word=1, seat="D14",
    ),
)  # fmt: skip
BY_CODE: Final = {one.code: one for one in DEPARTMENTS}
