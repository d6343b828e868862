-- Works at its second attempt, and says when that may be.
SELECT fail('busy', 'come back later', :after) WHERE attempt() = 1;
SELECT emit('Worked', json_object('after', :after));
