-- Follows OrderCreated: the event's data is the payload.
INSERT INTO shipments (order_id, customer, reserved_at) VALUES (:id, :customer, now());
SELECT emit('ShipmentReserved', json_object('id', :id, 'customer', :customer));
