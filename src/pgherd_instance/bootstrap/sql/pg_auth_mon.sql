GRANT SELECT ON public.pg_auth_mon TO robot_zmon;
