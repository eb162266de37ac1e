"""Three years of cases for `bench.queue`, made by the database itself."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import sql

#: Weights fall with the rank, as reports of a city do: a few places and matters have most.
WORDS: Final = """
    CREATE TEMP TABLE word AS SELECT
      ARRAY['路灯','井盖','垃圾桶','行道树','人行道','共享单车','广告牌','下水道','消防栓','护栏','健身器材','电线杆',
            '公交站','绿化带','窨井','信号灯','店招','污水管','花坛','配电箱'] AS things,
      ARRAY['不亮','破损','满溢','倒伏','占道','乱停放','松动','堵塞','漏水','缺失','油烟扰民','违停','噪音','堆放杂物',
            '积水','污损','未清运','倾斜','裸露','锈蚀'] AS faults,
      ARRAY['公园门口','小区东门','菜市场旁','学校北侧','公交站后','医院对面','商场停车场','桥下','十字路口','河边步道',
            '工地围挡外','幼儿园西门','社区中心','地铁口','加油站旁'] AS places,
      ARRAY['江滨','中山','人民','解放','建设','东阳','金华','环城','文化','工业','湖滨','新华','和平','朝阳','滨海',
            '学院','迎宾','胜利','光明','民主','兴业','振兴','育才','青年','长江'] AS streets
"""
CLASSES: Final = """
    CREATE TEMP TABLE class AS SELECT row_number() OVER (ORDER BY id) AS n, id, code,
      'D' || lpad((1 + (hashtext(code) & 7))::text, 2, '0') AS department
    FROM category WHERE valid_to IS NULL AND parent IS NOT NULL AND kind = 'matter'
"""
AREAS: Final = """
    INSERT INTO area (code, parent_code, level, name_zh, name_en, geom)
    SELECT code, parent, length(code), name, name,
      ST_Multi(ST_MakeEnvelope(120.0, 29.0, 120.5, 29.4, 4490))
    FROM (SELECT '339901' AS code, NULL AS parent, '样城' AS name
      UNION ALL SELECT '3399010' || lpad(t::text, 2, '0'), '339901', '第' || t || '镇'
        FROM generate_series(1, 20) AS t
      UNION ALL SELECT '3399010' || lpad(t::text, 2, '0') || lpad(c::text, 3, '0'),
        '3399010' || lpad(t::text, 2, '0'), '第' || c || '社区'
        FROM generate_series(1, 20) AS t, generate_series(1, 10) AS c) AS made
"""
#: A serial number within the day, as in life.
CASES: Final = """
    INSERT INTO incident (id, number, category_id, category_code, channel, urgency, status,
      text, address, department_code, reported_at, received_at, stage_at, due_at, closed_at,
      geom, cell_id, area_code, event_count, involved)
    SELECT gen_random_uuid(),
      to_char(at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-' || lpad((drawn.n %% 1000000)::text, 6, '0'),
      class.id, class.code,
      (ARRAY['worker','worker','worker','worker','worker','worker','public','public','phone',
             'system'])[1 + floor(10 * r1)::int],
      (ARRAY['A','B','B','C','C','C','C','D'])[1 + floor(8 * r2)::int],
      CASE WHEN is_open THEN (ARRAY['pending_accept','pending_verify','pending_file',
          'pending_dispatch','pending_sign','handling','handling','handling','pending_review',
          'pending_check','pending_close','suspended'])[1 + floor(12 * r3)::int]
        ELSE (ARRAY['closed','closed','closed','closed','closed','closed','closed','closed',
          'not_accepted','self_handled'])[1 + floor(10 * r3)::int] END,
      places[1 + floor(15 * r4)::int] || things[1 + floor(20 * r5)::int]
        || faults[1 + floor(20 * r6)::int],
      streets[1 + floor(25 * r7)::int] || '路' || (1 + floor(400 * r8))::int || '号',
      had.code,
      at, at, at + interval '1 hour' * r1,
      CASE WHEN is_open AND r3 < 0.91 THEN now() + interval '40 hours' * (r6 - 0.2) END,
      CASE WHEN NOT is_open THEN at + interval '2 days' * r2 END,
      ST_SetSRID(ST_MakePoint(120 + 0.5 * r9, 29 + 0.4 * r10), 4490), 1,
      '3399010' || lpad((1 + floor(20 * r9 * r9))::int::text, 2, '0')
        || lpad((1 + floor(10 * r10))::int::text, 3, '0')
        || lpad((1 + floor(8 * r8))::int::text, 3, '0'), 1,
      array_remove(ARRAY[had.code, CASE WHEN drawn.n %% 10007 = 0 THEN 'D14' END], NULL)
    FROM (SELECT n, n > %(rows)s - %(open)s * 1.6 AND random() < 0.62 AS is_open,
        now() - interval '1095 days' * ((%(rows)s - n)::float8 / %(rows)s) AS at,
        random() AS r1, random() AS r2, random() AS r3, random() AS r4, random() AS r5,
        random() AS r6, random() AS r7, random() AS r8, random() AS r9, random() AS r10,
        random() AS r11
      FROM generate_series(1, %(rows)s) AS n) AS drawn
    CROSS JOIN word
    JOIN class ON class.n = 1 + floor((SELECT count(*) FROM class) * r11 * r11)::int
    CROSS JOIN LATERAL
      (SELECT CASE WHEN NOT is_open OR r3 > 0.34 THEN class.department END AS code) AS had
"""
TASKS: Final = """
    INSERT INTO incident_task (incident_id, department_code, dispatched_at)
    SELECT id, code, received_at FROM incident, unnest(involved) AS code
"""
#: Six steps of each case of the last month, by two hundred people.
EVENTS: Final = """
    INSERT INTO incident_event (recorded_at, incident_id, seq, id, action, from_status, to_status,
      actor_id, role, area_code)
    SELECT least(received_at + interval '3 hours' * seq, now()), incident.id, seq,
      gen_random_uuid(), 'comment', 'handling', 'handling', 1 + floor(200 * random())::int,
      'dispatcher', area_code
    FROM incident, generate_series(1, 6) AS seq WHERE received_at > now() - interval '30 days'
"""
ADDRESSES: Final = """
    INSERT INTO address (text, street, number, geom, cell_id, area_code)
    SELECT streets[1 + n %% 25] || (ARRAY['东','南','西','北',''])[1 + n %% 5] || '路'
        || (n / 25) || '号', streets[1 + n %% 25], (n / 25)::text,
      ST_SetSRID(ST_MakePoint(120 + 0.5 * random(), 29 + 0.4 * random()), 4490), 1,
      '3399010' || lpad((1 + n %% 20)::text, 2, '0') || '001001'
    FROM generate_series(1, %(rows)s) AS n, word
"""
ENTERPRISES: Final = """
    INSERT INTO enterprise (name, kind, industry, geom, cell_id, area_code)
    SELECT streets[1 + n %% 25] || things[1 + n %% 20] || n
        || (ARRAY['贸易','科技','餐饮','建材','物流'])[1 + n %% 5] || '有限公司', 'company', 'F',
      ST_SetSRID(ST_MakePoint(120 + 0.5 * random(), 29 + 0.4 * random()), 4490), 1,
      '3399010' || lpad((1 + n %% 20)::text, 2, '0') || '001001'
    FROM generate_series(1, %(rows)s) AS n, word
"""
#: What a plain page would ask.
NAIVE: Final = {
    "page 2,000 by OFFSET": "SELECT * FROM incident ORDER BY received_at DESC, id"
    " LIMIT 50 OFFSET 100000",
    "open cases by risk, page 100 by OFFSET": "SELECT * FROM incident WHERE status NOT IN"
    " ('closed', 'not_accepted', 'self_handled') ORDER BY due_at NULLS LAST, received_at DESC, id"
    " LIMIT 50 OFFSET 5000",
    "a rare word with LIKE": "SELECT id FROM incident WHERE text LIKE '%极光%'"
    " OR address LIKE '%极光%' ORDER BY received_at DESC LIMIT 50",
    "seven facets of all, one by one": " UNION ALL ".join(
        f"SELECT 1 FROM (SELECT count(*) FROM incident GROUP BY {column}) AS {name}"  # noqa: S608 - words of this list
        for name, column in (
            ("a", "status"), ("b", "channel"), ("c", "left(area_code, 9)"), ("d", "category_code"),
            ("e", "department_code"), ("f", "urgency"), ("g", "due_at < now()"),
        )
    ),
}  # fmt: skip


def everything(conn: psycopg.Connection[Any], rows: int, are_open: int) -> None:
    """Fill the registers and the cases; indexes are made after the rows."""
    conn.execute("SET session_replication_role = replica")
    conn.execute("SET synchronous_commit = off")
    conn.execute("SET maintenance_work_mem = '512MB'")
    kept = conn.execute(
        "SELECT i.indexname, i.indexdef FROM pg_indexes AS i WHERE i.schemaname = 'public'"
        " AND i.tablename IN ('incident', 'incident_task', 'address', 'enterprise')"
        " AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conname = i.indexname)"
    ).fetchall()
    for name, _ in kept:
        conn.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    for statement in (WORDS, CLASSES, AREAS):
        conn.execute(statement)
    conn.execute("ANALYZE class")
    conn.execute(CASES, {"rows": rows, "open": are_open})
    conn.execute(TASKS)
    conn.execute("SELECT ensure_months('incident_event', current_date - 31, 2)")
    conn.execute(EVENTS)
    conn.execute(ADDRESSES, {"rows": rows // 10})
    conn.execute(ENTERPRISES, {"rows": rows // 50})
    for _, definition in kept:
        conn.execute(definition.encode())
    for table in ("incident", "incident_task", "incident_event", "address", "enterprise", "area"):
        conn.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(table)))
