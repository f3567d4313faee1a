GRANT EXECUTE ON FUNCTION public.set_user(text) TO admin;
