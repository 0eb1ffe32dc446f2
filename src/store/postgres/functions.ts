/**
 * Functions of SQLite that the shared SQL calls, as functions of hookctl's own schema: they mean there what they mean in SQLite, as far
 * as the store uses them. JSON is kept as text, so that both engines hold the same rows.
 */
export const FUNCTIONS = `
create function instr(text, text) returns integer language sql immutable as 'select strpos($1, $2)';
create function glob_matches(text, text) returns boolean language sql immutable as $$
  select $1 collate "C" ~ ('^' || replace(replace(regexp_replace($2, '([.+^$(){}|\\\\[\\]])', '\\\\\\1', 'g'), '*', '.*'), '?', '.') || '$') $$;
create function iif(boolean, anycompatible, anycompatible) returns anycompatible language sql immutable as
  'select case when $1 then $2 else $3 end';
create function max(bigint, bigint) returns bigint language sql immutable as 'select greatest($1, $2)';
create function min(bigint, bigint) returns bigint language sql immutable as 'select least($1, $2)';
create function date(bigint, text) returns text language sql immutable as
  $$ select to_char(to_timestamp($1) at time zone 'UTC', 'YYYY-MM-DD') $$;

create function plus_flag(bigint, boolean) returns bigint language sql immutable as
  'select coalesce($1, 0) + case when $2 then 1 when $2 is null then 0 else 0 end';
create aggregate sum(boolean) (sfunc = plus_flag, stype = bigint);
create function least_flag(bigint, boolean) returns bigint language sql immutable as
  'select least($1, $2::int::bigint)';
create aggregate min(boolean) (sfunc = least_flag, stype = bigint);

create function json_path(text) returns text[] language sql immutable as
  $$ select string_to_array(substr($1, 3), '.') $$;
create function json_each(text) returns table (key bigint, value text) language sql immutable as $$
  select place - 1, case json_typeof(item) when 'string' then item #>> '{}' when 'null' then null else item::text end
  from json_array_elements($1::json) with ordinality as items (item, place) $$;
create function json_extract(text, text) returns text language sql immutable as $$
  select case json_typeof(found) when 'boolean' then (found::text::boolean::int)::text
    when 'string' then found #>> '{}' when 'null' then null else found::text end
  from (select $1::json #> json_path($2) as found) as looked $$;
create function json_type(text, text) returns text language sql immutable as
  'select json_typeof($1::json #> json_path($2))';
create function json_remove(text, text) returns text language sql immutable as
  'select ($1::jsonb #- json_path($2))::text';
create function json_set(text, text, text) returns text language sql immutable as
  'select jsonb_set($1::jsonb, json_path($2), to_jsonb($3))::text';
-- RFC 7396, as SQLite does it.
create function merged(target jsonb, patch jsonb) returns jsonb language plpgsql immutable as $$
declare field text; given jsonb;
begin
  if jsonb_typeof(patch) <> 'object' then return patch; end if;
  if target is null or jsonb_typeof(target) <> 'object' then target := '{}'; end if;
  for field, given in select * from jsonb_each(patch) loop
    if given = 'null'::jsonb then target := target - field;
    else target := target || jsonb_build_object(field, merged(target -> field, given)); end if;
  end loop;
  return target;
end $$;
-- A patch that changes nothing leaves the text as it is.
create function json_patch(text, text) returns text language sql immutable as $$
  select case when made = $1::jsonb then $1 else made::text end
  from (select merged($1::jsonb, $2::jsonb) as made) as patched $$;

create function body_text(bytea) returns text language plpgsql immutable as $$
begin
  return lower(convert_from($1, 'UTF8'));
exception when others then
  return lower(encode($1, 'escape'));
end $$;
create function holds_text(forms text, words text, id text, size bigint, segment bigint, number bigint)
returns boolean language sql stable as $$
  select strpos(lower($2), $1::json ->> 0) > 0 or ($3 is not null and exists (
    select 1 from bodies, json_array_elements_text($1::json) as form
    where bodies.day = $5 and bodies.delivery_id = $3 and strpos(body_text(bodies.bytes), form) > 0)) $$;
`;
