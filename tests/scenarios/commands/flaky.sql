-- Works at the attempt that the payload names.
SELECT fail('flaky', 'attempt ' || attempt()) WHERE attempt() < :works;
SELECT emit('Worked', json_object('works', :works));
