"""Letters that look alike and are taken for one another in handwriting, scans and by eye."""

from __future__ import annotations

from typing import Final

GROUPS: Final = (
    "未末本木术", "日曰目白百自", "人入八", "土士工干千于", "己已巳", "天夫大太犬", "贝见", "王玉主", "石右古",
    "田由甲申电", "兰三", "园圆元", "清青情晴请", "溪奚", "塘糖唐", "桥侨娇", "湖胡糊", "泉皋", "林材村材",
    "江汪红", "浦埔铺", "洲州", "湾弯", "里理", "庭廷", "亭享", "台合", "岩岸", "坑抗", "畈贩", "垅拢", "坂板",
    "屏屏", "峰蜂锋", "源原", "水永冰", "风凤夙", "苑宛", "荣茱", "阳阴", "明朋", "光先", "川州", "云去",
    "霞露", "莲连", "枫机", "桂挂", "樟障", "柏拍", "杏否", "福幅富", "长常", "新析", "东车", "南甫", "西酉四",
    "北比", "上止", "下卞", "金全", "银很", "龙尤", "柳抑", "桃挑", "梅海", "松枪", "竹什", "荷何", "香杳",
    "雅稚", "和种", "安宴", "宁丁", "康唐", "泰秦", "祥样", "瑞端", "锦绵", "丹舟", "碧碧", "春舂", "秋秒",
    "文又", "学字", "景影", "望塑", "映央", "听斤", "紫柴", "五伍", "双又", "九丸", "路露", "街衔", "巷港",
    "花化", "家豪", "居民", "城域", "景晨", "丽雨", "湖潮", "翠翡", "御卸", "星昱", "阁阖", "昌冒", "环坏",
)  # fmt: skip
_ALIKE: Final = {
    frozenset((one, other)) for group in GROUPS for one in group for other in group if one != other
}


def look_alike(first: str, second: str) -> bool:
    """Say whether two words of one length differ only in letters that look alike."""
    return len(first) == len(second) and all(
        one == other or frozenset((one, other)) in _ALIKE
        for one, other in zip(first, second, strict=True)
    )
