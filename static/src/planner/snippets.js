// Code that opens a file that was taken away; each line runs as it stands.

import {urlOf} from '../lib/api.js';
import {queryOf} from './choice.js';

/**
 * @param {import('./choice.js').Choice} choice
 * @param {{rows: number, metric: number, origin: string, today?: Date}} about
 * @returns {{title: string, text: string}[]}
 */
export function snippetsOf(choice, {rows, metric, origin, today = new Date()}) {
  const day = today.toISOString().slice(0, 10).replaceAll('-', '');
  const file = `${choice.layer}-${day}.${choice.format}`;
  const address = origin + urlOf(`/api/export/${choice.layer}.${choice.format}`, queryOf(choice));
  const python = choice.format === 'html' ? [] : [{title: 'code.python', text: pythonOf(choice, file, {rows, metric})}];
  return [...python, {title: 'code.curl', text: [
    `curl -fsS -c cookies.txt -o /dev/null ${origin}/sign-in \\`,
    '  --data-urlencode "login=$LOGIN" --data-urlencode "password=$PASSWORD"',
    `curl -fsS -b cookies.txt -o ${file} '${address}'`,
  ].join('\n')}];
}

/** @param {import('./choice.js').Choice} choice @param {string} file @param {{rows: number, metric: number}} about */
function pythonOf({layer, format, crs}, file, {rows, metric}) {
  const check = `assert len(gdf) == ${rows}`;
  if (format === 'csv') {
    const srid = crs === 'CRS84' ? 'OGC:CRS84' : crs;
    const isDegrees = ['CRS84', 'EPSG:4490', 'EPSG:4326'].includes(crs);
    const [x, y] = isDegrees ? ['lon', 'lat'] : ['easting', 'northing'];
    return [
      'import geopandas as gpd', 'import pandas as pd', '',
      `table = pd.read_csv("${file}", encoding="utf-8-sig", dtype={"area_code": str, "code": str})`,
      `gdf = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table.${x}, table.${y}), crs="${srid}")`,
      check,
    ].join('\n');
  }
  const read = format === 'gpkg' ? `gpd.read_file("${file}", layer="${layer}")` : `gpd.read_file("${file}")`;
  return ['import geopandas as gpd', '', `gdf = ${read}`, check, `gdf = gdf.to_crs(${metric})  # metres`, 'print(gdf.head())'].join('\n');
}
