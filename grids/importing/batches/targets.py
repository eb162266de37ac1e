"""What can be imported: THE list of registers that take tables, their fields and how they match.

Persons are no target: they come from visits and the police's own systems, never from a table
that somebody uploads (decision 0003).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import normal
from grids.codes import Category, Department
from grids.codes.models import DEFAULT_SYSTEM
from grids.errors import NotFound
from grids.importing.batches import words

Kind = Literal["text", "integer", "double precision", "date", "bigint"]
#: Which shapes a register takes.
Shapes = Literal["point", "outline", "any"]


class NoTarget(NotFound):
    """No register of this name takes tables."""

    code = "import.no_target"


@dataclass(frozen=True)
class Field:
    """One fact that a table may bring: a column of the register, or a part of the place."""

    name: str
    heads: str  #: how departments call it, beside the name of the field itself
    read: Callable[[str], Any] = str  #: from a cleaned text to a value; raises `Unfit`
    kind: Kind = "text"
    is_required: bool = False
    #: Name of the list of words that it is read by; see `lists`.
    listed: str = ""

    @property
    def words(self) -> frozenset[str]:
        """Return the heads by which the field is found."""
        return frozenset(words.plain(head) for head in (self.name, *self.heads.split()))


@dataclass(frozen=True)
class Target:
    """A register that takes tables."""

    name: str  #: of the register and its table
    fields: tuple[Field, ...]
    shapes: Shapes
    code: str = ""  #: the field that names an entry for everybody
    has_address: bool = False  #: the table has a column `address_id`
    has_source_id: bool = True
    is_merged: bool = False  #: entries are given up for others, column `merged_into`

    @property
    def columns(self) -> tuple[Field, ...]:
        """Return the fields that are columns of the register."""
        return tuple(field for field in self.fields if field.name not in NO_COLUMNS)


_name: Final = partial(
    Field,
    "name",
    "名称 单位名称 企业名称 字号 机构名称 场所名称 店名 设施名称 建筑名称 title",
    normal.name,
)
_PLACE: Final = (
    Field("lon", "经度 经 东经 x 横坐标 坐标x x坐标 longitude lng long point_x"),
    Field("lat", "纬度 纬 北纬 y 纵坐标 坐标y y坐标 latitude point_y"),
    Field("place", "坐标 经纬度 位置坐标 coordinates location lonlat latlon"),
    Field("wkt", "wkt geometry geom 几何 图形 空间坐标"),
    Field("address", "地址 详细地址 住所 经营地址 注册地址 经营场所 场所地址 门牌地址 位置 addr"),
)
_OWN: Final = Field(
    "own_id", "编号 序列号 主键 记录编号 唯一标识 业务编号 objectid fid uuid guid id recordid"
)
#: Fields that are no columns of their own.
NO_COLUMNS: Final = frozenset(
    {"lon", "lat", "place", "wkt", "address", "own_id", "enterprise_uscc"}
)


def _year(text: str) -> int:
    return normal.whole(text, least=1600, most=2100)


TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for target in (
        Target(
            "enterprise",
            (
                _name(is_required=True),
                Field("uscc", "统一社会信用代码 社会信用代码 信用代码 统一代码 creditcode",
                      normal.credit_code),
                Field("kind", "企业类型 主体类型 类型 市场主体类型 单位类型", is_required=True,
                      listed="enterprise_kind"),
                Field("industry", "行业 行业门类 行业代码 所属行业 行业类别", is_required=True,
                      listed="industry"),
                Field("status", "状态 经营状态 登记状态 企业状态", listed="enterprise_state"),
                Field("staff", "员工数 职工人数 从业人数 从业人员 员工人数 人数",
                      partial(normal.whole, most=1_000_000), "integer"),
                Field("registered_on", "成立日期 注册日期 登记日期 成立时间 核准日期", normal.day, "date"),
                *_PLACE, _OWN,
            ),
            "point", code="uscc", has_address=True, has_source_id=False, is_merged=True,
        ),
        Target(
            "premises",
            (
                _name(is_required=True),
                Field("kind", "场所类型 类型 类别 场所类别 业态 经营类别", is_required=True,
                      listed="premises_kind"),
                Field("floor_area_m2", "面积 建筑面积 经营面积 营业面积 场所面积 面积平方米",
                      partial(normal.figure, least=0, most=10_000_000), "double precision"),
                Field("enterprise_uscc", "统一社会信用代码 社会信用代码 信用代码 企业信用代码",
                      normal.credit_code),
                *_PLACE, _OWN,
            ),
            "point",
        ),
        Target(
            "component",
            (
                Field("identifier", "标识码 部件标识码 部件编码 部件标识 objcode", normal.identifier),
                Field("code", "部件类型 部件小类 小类 类型 类别 部件类别 分类代码 小类代码",
                      is_required=True, listed="component_code"),
                _name(),
                Field("state", "状态 部件状态 完好状态 objstate", listed="component_state"),
                Field("department_code", "权属单位 权属部门 主管部门 管理部门 责任部门 养护单位",
                      listed="department"),
                *_PLACE, _OWN,
            ),
            "any", code="identifier",
        ),
        Target(
            "facility",
            (
                _name(is_required=True),
                Field("kind", "设施类型 类型 类别 设施类别", is_required=True, listed="facility_kind"),
                *_PLACE, _OWN,
            ),
            "point",
        ),
        Target(
            "building",
            (
                _name(),
                Field("kind", "建筑类型 用途 房屋用途 建筑用途 类型 建筑性质", is_required=True,
                      listed="building_kind"),
                Field("levels", "层数 楼层数 地上层数 总层数",
                      partial(normal.whole, least=1, most=200), "integer"),
                Field("height_m", "高度 建筑高度 楼高 高度米",
                      partial(normal.figure, least=0, most=1500), "double precision"),
                Field("built_year", "建成年份 建造年份 竣工年份 建成年代 年代", _year, "integer"),
                *(field for field in _PLACE if field.name == "wkt"), _OWN,
            ),
            "outline", has_address=True,
        ),
        Target(
            "address",
            (
                Field("text", "地址 标准地址 详细地址 门牌地址 地址全称 fulladdress", is_required=True),
                Field("street", "街路巷 道路 街道名 路名", normal.name),
                Field("number", "门牌号 门牌 门号"),
                Field("estate", "小区 小区名称 院落 小区院落", normal.name),
                Field("building", "楼幢 楼栋 幢号 栋号 楼号"),
                *(field for field in _PLACE if field.name != "address"), _OWN,
            ),
            "point",
        ),
    )
}  # fmt: skip


def target_of(name: str) -> Target:
    """Return a target by its name. Raises `NoTarget`."""
    if name not in TARGETS:
        raise NoTarget(f"no register {name[:20]!r} takes tables", name=name[:20])
    return TARGETS[name]


#: Name of a list -> way to write -> value.
Lists = dict[str, dict[str, str]]


def lists(session: Session) -> Lists:
    """Read every list of words that fields are read by, as of now."""
    components: dict[str, str] = {}
    for row in session.execute(
        select(Category.code, Category.name_zh, Category.name_en).where(
            Category.kind == "component", Category.code_system == DEFAULT_SYSTEM,
            Category.parent.is_not(None), Category.valid_to.is_(None),
        )
    ):  # fmt: skip
        components |= dict.fromkeys(
            (row.code, words.plain(row.name_zh), words.plain(row.name_en)), row.code
        )
    departments: dict[str, str] = {}
    for row in session.execute(select(Department.code, Department.name_zh, Department.name_en)):
        departments |= dict.fromkeys(
            (words.plain(row.code), words.plain(row.name_zh), words.plain(row.name_en)), row.code
        )
    return {
        "enterprise_kind": words.listed(words.ENTERPRISE_KINDS),
        "enterprise_state": words.listed(words.ENTERPRISE_STATES),
        "premises_kind": words.listed(words.PREMISES_KINDS),
        "facility_kind": words.listed(words.FACILITY_KINDS),
        "building_kind": words.listed(words.BUILDING_KINDS),
        "component_state": words.listed(words.COMPONENT_STATES),
        "industry": words.industries(),
        "component_code": components,
        "department": departments,
    }
