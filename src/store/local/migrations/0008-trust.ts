/**
 * The lowest trust of all whose words are in a task's prompt; whether the delivery that claimed a key has acted; whether a
 * person wrote what a delivery says. A task whose delivery is gone cannot be shown to be verified.
 */
export const trust = `
alter table tasks add column trust text not null default 'unverified';
update tasks set trust = coalesce(
  (select case when root.delivery_id is null then 'operator' else deliveries.trust end
   from tasks as root left join deliveries on deliveries.id = root.delivery_id
   where root.id = tasks.initiated_task_id),
  'unverified');
alter table dedupe_keys add column acted integer not null default 1;
alter table deliveries add column by_person integer;
`;
