/** Who changed what. Append-only: the db itself refuses to change or delete a line. */
export const audit = `
create table audit (
  id integer primary key autoincrement,
  at integer not null,
  actor_kind text not null,
  actor text not null,
  what text not null,
  target text,
  details text not null,
  revision text
) strict;
create index audit_by_what on audit (what, id);
create index audit_by_revision on audit (revision, id) where revision is not null;

create trigger audit_never_changes before update on audit begin
  select raise(abort, 'the audit is append-only');
end;
create trigger audit_never_shrinks before delete on audit begin
  select raise(abort, 'the audit is append-only');
end;
`;
